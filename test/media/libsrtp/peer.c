/*
 * A peer on libsrtp for tests: AEAD_AES_128_GCM with one master key and its MKI. Lines on standard input, answers on
 * standard output, packets as hexadecimal:
 *   protect-rtp | unprotect-rtp | protect-rtcp | unprotect-rtcp  HEX
 * The answer is the packet, or "error N" with libsrtp's status. Arguments: master key and salt, MKI.
 * One session sends, another receives, so that a packet can be handed back.
 */
#include <srtp2/srtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PACKET 2048
#define ROOM (MAX_PACKET + SRTP_MAX_TRAILER_LEN + SRTP_MAX_MKI_LEN)

static size_t from_hex(const char *text, unsigned char *out, size_t room) {
  size_t n = 0;
  unsigned int octet;
  while (n < room && sscanf(text + 2 * n, "%2x", &octet) == 1) out[n++] = (unsigned char)octet;
  return n;
}

static srtp_t session(srtp_ssrc_t ssrc, unsigned char *key, unsigned char *mki, unsigned int mki_length) {
  srtp_policy_t policy;
  srtp_master_key_t master = {key, mki, mki_length};
  srtp_master_key_t *masters[1] = {&master};
  srtp_t created;
  memset(&policy, 0, sizeof policy);
  srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
  srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
  policy.ssrc = ssrc;
  policy.keys = masters;
  policy.num_master_keys = 1;
  policy.window_size = 1024;
  if (srtp_create(&created, &policy) != srtp_err_status_ok) exit(3);
  return created;
}

int main(int argc, char **argv) {
  unsigned char key[28], mki[SRTP_MAX_MKI_LEN], packet[ROOM];
  static char line[2 * ROOM + 32];
  if (argc != 3 || srtp_init() != srtp_err_status_ok || from_hex(argv[1], key, sizeof key) != 28) return 2;
  unsigned int mki_length = (unsigned int)from_hex(argv[2], mki, sizeof mki);
  srtp_ssrc_t out = {ssrc_any_outbound, 0}, in = {ssrc_any_inbound, 0};
  srtp_t sender = session(out, key, mki, mki_length), receiver = session(in, key, mki, mki_length);
  while (fgets(line, sizeof line, stdin) != NULL) {
    char *space = strchr(line, ' ');
    if (space == NULL) return 2;
    *space = '\0';
    int length = (int)from_hex(space + 1, packet, MAX_PACKET);
    srtp_err_status_t status = srtp_err_status_bad_param;
    if (strcmp(line, "protect-rtp") == 0) status = srtp_protect_mki(sender, packet, &length, 1, 0);
    if (strcmp(line, "unprotect-rtp") == 0) status = srtp_unprotect_mki(receiver, packet, &length, 1);
    if (strcmp(line, "protect-rtcp") == 0) status = srtp_protect_rtcp_mki(sender, packet, &length, 1, 0);
    if (strcmp(line, "unprotect-rtcp") == 0) status = srtp_unprotect_rtcp_mki(receiver, packet, &length, 1);
    if (status != srtp_err_status_ok) {
      printf("error %d\n", status);
    } else {
      for (int i = 0; i < length; i++) printf("%02x", packet[i]);
      printf("\n");
    }
    fflush(stdout);
  }
  return 0;
}

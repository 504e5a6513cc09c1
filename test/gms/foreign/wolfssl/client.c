/* The keys of an MC client, by wolfCrypt's SAKKE and ECCSI and by code of its own for all else, so that no line of the package
 * has a part in what it writes and reads. UIDs are those of TS 33.180 F.2.1, messages those of annex E.
 *
 * Commands:
 *   seal MDSI FILE   draws a CSK, writes the I_MESSAGE that brings it to the MC domain to FILE; prints "CSK-ID CSK"
 *   open GMS         reads an I_MESSAGE from that GMS in hexadecimal from the first line of input; prints "GMK-ID GMK"
 *
 * Keys come on input (before the message), one "NAME VALUE" a line, and end with an empty line: `user` and `kms` (URIs),
 * `period` and `offset` (seconds), `time` (Unix seconds, of the present), and octets in hexadecimal: `zt`, `kpak`, `rsk`,
 * `ssk`, `pvt`. */
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/eccsi.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/hmac.h>
#include <wolfssl/wolfcrypt/random.h>
#include <wolfssl/wolfcrypt/sakke.h>
#include <wolfssl/wolfcrypt/sha256.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if !defined(WOLFCRYPT_HAVE_SAKKE) || !defined(WOLFCRYPT_HAVE_ECCSI)
#error "this wolfSSL was built without SAKKE or ECCSI"
#endif

enum { UID = 32, SSV = 16, POINT = 257, SIGNATURE = 129, MAX_TEXT = 256, MAX_MESSAGE = 4096 };
enum { LAST = 0, SIGN = 4, T = 5, RAND = 11, IDR = 14, SAKKE = 26 };
enum { INITIATOR = 1, RESPONDER = 2, INITIATOR_KMS = 6, RESPONDER_KMS = 7 };
enum { GMK_TAG = 0, CSK_TAG = 2 };
/* Seconds from 1900, where NTP begins, to 1970. */
static const uint64_t NTP_OFFSET = 2208988800u;

typedef struct {
    size_t size;
    byte at[MAX_MESSAGE];
} Octets;

static struct {
    char user[MAX_TEXT], kms[MAX_TEXT];
    uint64_t period, offset, time;
    Octets zt, kpak, rsk, ssk, pvt;
} keys;

static WC_RNG rng;
static SakkeKey sakke;
static EccsiKey eccsi;

static void require(int ok, const char *what) {
    if (ok) return;
    fprintf(stderr, "client: %s\n", what);
    exit(1);
}

#define CALL(f) require((f) == 0, #f " failed")

static void append(Octets *to, const void *from, size_t size) {
    require(to->size + size <= sizeof to->at, "too long");
    memcpy(to->at + to->size, from, size);
    to->size += size;
}

/* The last `size` octets of a number. */
static void number(Octets *to, uint64_t value, int size) {
    while (size-- > 0) {
        byte octet = (byte)(value >> (8 * size));
        append(to, &octet, 1);
    }
}

static uint64_t number_at(const byte *from, int size) {
    uint64_t value = 0;
    while (size-- > 0) value = value << 8 | *from++;
    return value;
}

static void from_hex(Octets *to, const char *text) {
    unsigned octet;
    to->size = 0;
    for (; sscanf(text, "%2x", &octet) == 1; text += 2) number(to, octet, 1);
    require(*text == 0, "hexadecimal digits are missing");
}

static void from_text(char to[MAX_TEXT], const char *text) {
    require(strlen(text) < MAX_TEXT, "a URI is too long");
    strcpy(to, text);
}

static void print_hex(const byte *from, size_t size) {
    for (size_t i = 0; i < size; i++) printf("%02x", from[i]);
}

static void read_keys(void) {
    static char line[2 * MAX_MESSAGE + 64], name[16], value[2 * MAX_MESSAGE];
    while (fgets(line, sizeof line, stdin) && line[0] != '\n') {
        require(sscanf(line, "%15s %8191s", name, value) == 2, "a line has no name and value");
        if (strcmp(name, "user") == 0) from_text(keys.user, value);
        else if (strcmp(name, "kms") == 0) from_text(keys.kms, value);
        else if (strcmp(name, "period") == 0) keys.period = strtoull(value, NULL, 10);
        else if (strcmp(name, "offset") == 0) keys.offset = strtoull(value, NULL, 10);
        else if (strcmp(name, "time") == 0) keys.time = strtoull(value, NULL, 10);
        else if (strcmp(name, "zt") == 0) from_hex(&keys.zt, value);
        else if (strcmp(name, "kpak") == 0) from_hex(&keys.kpak, value);
        else if (strcmp(name, "rsk") == 0) from_hex(&keys.rsk, value);
        else if (strcmp(name, "ssk") == 0) from_hex(&keys.ssk, value);
        else if (strcmp(name, "pvt") == 0) from_hex(&keys.pvt, value);
        else require(0, "a name is not known");
    }
    require(keys.period > 0, "there is no key period");
    CALL(wc_InitRng(&rng));
    CALL(wc_InitSakkeKey(&sakke, NULL, INVALID_DEVID));
    CALL(wc_ImportSakkePublicKey(&sakke, keys.zt.at, keys.zt.size, 0));
    CALL(wc_InitEccsiKey(&eccsi, NULL, INVALID_DEVID));
    CALL(wc_ImportEccsiPublicKey(&eccsi, keys.kpak.at, keys.kpak.size, 0));
}

/* P || L of TS 33.220 annex B. */
static void parameter(Octets *s, const void *p, size_t size) {
    append(s, p, size);
    number(s, size, 2);
}

/* An integer as P has no more octets than it needs. */
static void integer(Octets *s, uint64_t value) {
    int size = 1;
    while (size < 8 && value >> (8 * size)) size++;
    number(s, value, size);
    number(s, size, 2);
}

/* F.2.1, in the key period of an NTP time. */
static void uid_of(const char *uri, uint64_t ntp_seconds, byte uid[UID]) {
    static const char label[] = "MIKEY-SAKKE-UID";
    Octets s = {0};
    number(&s, 0, 1);
    parameter(&s, label, strlen(label));
    parameter(&s, uri, strlen(uri));
    parameter(&s, keys.kms, strlen(keys.kms));
    integer(&s, keys.period);
    integer(&s, keys.offset);
    integer(&s, (ntp_seconds - keys.offset) / keys.period);
    CALL(wc_Sha256Hash(s.at, s.size, uid));
}

static void begin_payload(Octets *message, int next) { number(message, next, 1); }

static void identity(Octets *message, int next, int role, const char *uri) {
    begin_payload(message, next);
    number(message, role, 1);
    number(message, 1, 1);
    number(message, strlen(uri), 2);
    append(message, uri, strlen(uri));
}

/* Octets for a signature by the user of `keys` over all of the message, behind it. */
static void sign(Octets *message, const byte uid[UID]) {
    byte hash[WC_MAX_DIGEST_SIZE], hash_size, signature[SIGNATURE];
    word32 size = SIGNATURE;
    mp_int ssk;
    ecc_point *pvt = wc_ecc_new_point();
    require(pvt != NULL, "no memory");
    CALL(mp_init(&ssk));
    CALL(wc_DecodeEccsiSsk(&eccsi, keys.ssk.at, keys.ssk.size, &ssk));
    CALL(wc_DecodeEccsiPvt(&eccsi, keys.pvt.at, keys.pvt.size, pvt));
    CALL(wc_HashEccsiId(&eccsi, WC_HASH_TYPE_SHA256, uid, UID, pvt, hash, &hash_size));
    CALL(wc_SetEccsiHash(&eccsi, hash, hash_size));
    CALL(wc_SetEccsiPair(&eccsi, &ssk, pvt));
    CALL(wc_SignEccsiHash(&eccsi, &rng, WC_HASH_TYPE_SHA256, message->at, message->size, signature, &size));
    require(size == SIGNATURE, "the signature has another length");
    append(message, signature, size);
}

static void seal(const char *mdsi, const char *file) {
    Octets message = {0};
    byte uid[UID], csk[SSV], hidden[SSV], point[POINT], rand[16], id[4];
    word16 ssv_size = SSV, point_size = POINT;
    uint64_t ntp = keys.time + NTP_OFFSET;
    CALL(wc_GenerateSakkeSSV(&sakke, &rng, csk, &ssv_size));
    CALL(wc_RNG_GenerateBlock(&rng, rand, sizeof rand));
    CALL(wc_RNG_GenerateBlock(&rng, id, sizeof id));
    id[0] = CSK_TAG << 4 | (id[0] & 15);
    uid_of(mdsi, ntp, uid);
    memcpy(hidden, csk, SSV);
    CALL(wc_SetSakkeIdentity(&sakke, uid, UID));
    CALL(wc_MakeSakkeEncapsulatedSSV(&sakke, WC_HASH_TYPE_SHA256, hidden, SSV, point, &point_size));
    /* HDR: version 1, SAKKE message, PRF-HMAC-SHA-256, no crypto session in an empty map (E.1.2). */
    append(&message, "\x01\x1a\x05\x01", 4);
    append(&message, id, sizeof id);
    append(&message, "\x00\x01", 2);
    begin_payload(&message, RAND);
    number(&message, 0, 1);
    number(&message, ntp << 32, 8);
    begin_payload(&message, IDR);
    number(&message, sizeof rand, 1);
    append(&message, rand, sizeof rand);
    identity(&message, IDR, INITIATOR, keys.user);
    identity(&message, IDR, RESPONDER, mdsi);
    identity(&message, IDR, INITIATOR_KMS, keys.kms);
    identity(&message, SAKKE, RESPONDER_KMS, keys.kms);
    begin_payload(&message, SIGN);
    append(&message, "\x01\x02", 2);
    number(&message, point_size + SSV, 2);
    append(&message, point, point_size);
    append(&message, hidden, SSV);
    number(&message, 2 << 12 | SIGNATURE, 2);
    uid_of(keys.user, ntp, uid);
    sign(&message, uid);
    FILE *out = fopen(file, "wb");
    require(out && fwrite(message.at, 1, message.size, out) == message.size && fclose(out) == 0, "the file is not written");
    print_hex(id, sizeof id);
    printf(" ");
    print_hex(csk, SSV);
    printf("\n");
}

/* One payload: its content from `at` up to `end`. */
typedef struct {
    const byte *at, *end;
} Content;

static int is_text(Content id, const char *text) {
    return (size_t)(id.end - id.at) == strlen(text) && memcmp(id.at, text, strlen(text)) == 0;
}

static void verify(const char *uri, uint64_t ntp_seconds, const byte *message, size_t size, const byte *signature) {
    byte uid[UID], hash[WC_MAX_DIGEST_SIZE], hash_size;
    int verified = 0;
    ecc_point *pvt = wc_ecc_new_point();
    require(pvt != NULL, "no memory");
    uid_of(uri, ntp_seconds, uid);
    CALL(wc_DecodeEccsiPvtFromSig(&eccsi, signature, SIGNATURE, pvt));
    CALL(wc_HashEccsiId(&eccsi, WC_HASH_TYPE_SHA256, uid, UID, pvt, hash, &hash_size));
    CALL(wc_SetEccsiHash(&eccsi, hash, hash_size));
    CALL(wc_VerifyEccsiHash(&eccsi, WC_HASH_TYPE_SHA256, message, size, signature, SIGNATURE, &verified));
    require(verified, "the signature does not verify");
}

static void decapsulate(uint64_t ntp_seconds, Content sed, byte key[SSV]) {
    byte uid[UID];
    ecc_point *rsk = wc_ecc_new_point();
    require(rsk != NULL, "no memory");
    require(sed.end - sed.at == POINT + SSV, "SAKKE data have another length");
    uid_of(keys.user, ntp_seconds, uid);
    CALL(wc_DecodeSakkeRsk(&sakke, keys.rsk.at, keys.rsk.size, rsk));
    CALL(wc_SetSakkeRsk(&sakke, rsk, NULL, 0));
    CALL(wc_SetSakkeIdentity(&sakke, uid, UID));
    memcpy(key, sed.at + POINT, SSV);
    CALL(wc_DeriveSakkeSSV(&sakke, WC_HASH_TYPE_SHA256, key, SSV, sed.at, POINT));
}

/* F.1.3: what the GUK-ID of the user is apart from the GMK-ID; the purpose tag stays. */
static uint32_t salt_of(const byte key[SSV]) {
    Octets s = {0};
    byte out[WC_SHA256_DIGEST_SIZE];
    Hmac hmac;
    number(&s, 0x50, 1);
    parameter(&s, keys.user, strlen(keys.user));
    CALL(wc_HmacInit(&hmac, NULL, INVALID_DEVID));
    CALL(wc_HmacSetKey(&hmac, WC_SHA256, key, SSV));
    CALL(wc_HmacUpdate(&hmac, s.at, s.size));
    CALL(wc_HmacFinal(&hmac, out));
    wc_HmacFree(&hmac);
    return (uint32_t)number_at(out + sizeof out - 4, 4) & 0x0fffffff;
}

static void open_message(const char *gms) {
    static char line[2 * MAX_MESSAGE + 2];
    Octets message;
    Content ids[8] = {{0}}, sed = {0};
    uint64_t ntp_seconds = 0;
    byte key[SSV];
    require(fgets(line, sizeof line, stdin) != NULL, "no message");
    line[strcspn(line, "\n")] = 0;
    from_hex(&message, line);
    const byte *end = message.at + message.size, *at = message.at + 10;
    require(message.size > 10 && message.at[0] == 1 && message.at[1] == 26, "no SAKKE message");
    require(message.at[8] == 0 && message.at[9] == 1, "it has crypto sessions, which this client does not know");
    uint32_t guk_id = number_at(message.at + 4, 4);
    require(guk_id >> 28 == GMK_TAG, "no GMK");
    for (int type = message.at[2]; type != SIGN;) {
        /* Octets of each kind of payload before its content, where they end with its length, and those of the length. */
        int head = type == T ? 2 : type == RAND ? 2 : type == IDR || type == SAKKE ? 5 : 4;
        require(end - at >= head, "a payload is cut");
        size_t size = type == T ? 8 : type == RAND ? at[1] : number_at(at + head - 2, 2);
        require((size_t)(end - at - head) >= size, "a payload is cut");
        Content content = {at + head, at + head + size};
        if (type == T) ntp_seconds = number_at(content.at, 4);
        if (type == IDR && at[1] < 8) ids[at[1]] = content;
        if (type == SAKKE) sed = content;
        type = at[0];
        at = content.end;
    }
    require(end - at == 2 + SIGNATURE && number_at(at, 2) == (2 << 12 | SIGNATURE), "no ECCSI signature at its end");
    require(is_text(ids[INITIATOR], gms), "it is from another one");
    require(is_text(ids[RESPONDER], keys.user), "it is for another one");
    require(is_text(ids[INITIATOR_KMS], keys.kms) && is_text(ids[RESPONDER_KMS], keys.kms), "it has another KMS");
    require(ntp_seconds != 0 && sed.at != NULL, "it has no time or no key");
    verify(gms, ntp_seconds, message.at, message.size - SIGNATURE, at + 2);
    decapsulate(ntp_seconds, sed, key);
    printf("%08x ", guk_id ^ salt_of(key));
    print_hex(key, SSV);
    printf("\n");
}

int main(int argc, char **argv) {
    require(argc > 1, "which command?");
    read_keys();
    if (argc == 4 && strcmp(argv[1], "seal") == 0) seal(argv[2], argv[3]);
    else if (argc == 3 && strcmp(argv[1], "open") == 0) open_message(argv[2]);
    else require(0, "this is no command");
    return 0;
}

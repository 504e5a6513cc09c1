/* An MC client behind an IMS core, by Sofia-SIP's user agent. It registers there with digest authentication, publishes its
 * access token and its CSK to the MCX server, subscribes to its keys at the GMS, prints the first I_MESSAGE that comes in
 * hexadecimal, and ends its subscription. From is its IMS identity throughout. It ends without nua_shutdown, which would take
 * its publication back.
 *
 * Arguments: PROXY (SIP URI with a transport), IMS (its name in home1.net), PASSWORD, MCX-TOKEN, GMS-TOKEN, GKTP (its GKTP
 * documents from the XCAP root), CSK-FILE. */
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/nua.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_tag.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A whole UDP datagram; seconds until SIGALRM ends it. */
enum { MAX_BODY = 65535, LIMIT = 100 };

#define INFO                                                                                                           \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?><mcpttinfo xmlns=\"urn:3gpp:ns:mcpttInfo:1.0\"><mcptt-Params>"          \
    "<mcptt-access-token type=\"Normal\"><mcpttString>%s</mcpttString></mcptt-access-token></mcptt-Params></mcpttinfo>"
#define INFO_TYPE "application/vnd.3gpp.mcptt-info+xml"
#define MULTIPART "multipart/mixed; boundary=part"
#define EVENT "xcap-diff;diff-processing=aggregate"

static const char *ims, *password, *mcx_token, *gms_token, *gktp, *csk_file;
static nua_handle_t *registration, *publication, *subscription;
static int has_key;

typedef struct {
    size_t size;
    char at[MAX_BODY];
} Body;

static void require(int ok, const char *what, const char *detail) {
    if (ok) return;
    fprintf(stderr, "ims-client: %s %s\n", what, detail);
    exit(1);
}

static void append(Body *to, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int size = vsnprintf(to->at + to->size, sizeof to->at - to->size, format, args);
    va_end(args);
    require(size >= 0 && (size_t)size < sizeof to->at - to->size, "the body is too long:", format);
    to->size += size;
}

static void append_file(Body *to, const char *name) {
    FILE *in = fopen(name, "rb");
    require(in != NULL, "not read:", name);
    to->size += fread(to->at + to->size, 1, sizeof to->at - to->size, in);
    require(feof(in) && !ferror(in), "not read to its end:", name);
    fclose(in);
}

static sip_payload_t *payload(nua_handle_t *handle, const Body *body) {
    return sip_payload_create(nua_handle_home(handle), body->at, body->size);
}

static void publish(nua_t *nua) {
    static Body body;
    append(&body, "--part\r\nContent-Type: " INFO_TYPE "\r\n\r\n" INFO "\r\n", mcx_token);
    append(&body, "--part\r\nContent-Type: application/mikey\r\n\r\n");
    append_file(&body, csk_file);
    append(&body, "\r\n--part--\r\n");
    publication = nua_handle(nua, NULL, NUTAG_URL("sip:mcx@home1.net"), SIPTAG_TO_STR("<sip:mcx@home1.net>"), TAG_END());
    nua_publish(publication, SIPTAG_EVENT_STR("poc-settings"), SIPTAG_EXPIRES_STR("600"),
                SIPTAG_CONTENT_TYPE_STR(MULTIPART), SIPTAG_PAYLOAD(payload(publication, &body)), TAG_END());
}

static void subscribe(nua_t *nua) {
    static Body body;
    append(&body, "--part\r\nContent-Type: " INFO_TYPE "\r\n\r\n" INFO "\r\n", gms_token);
    append(&body, "--part\r\nContent-Type: application/resource-lists+xml\r\n\r\n");
    append(&body, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><resource-lists xmlns=\"urn:ietf:params:xml:ns:resource-lists\">");
    append(&body, "<list><entry uri=\"%s\"/></list></resource-lists>\r\n--part--\r\n", gktp);
    subscription = nua_handle(nua, NULL, NUTAG_URL("sip:gms@home1.net"), SIPTAG_TO_STR("<sip:gms@home1.net>"), TAG_END());
    nua_subscribe(subscription, SIPTAG_EVENT_STR(EVENT), SIPTAG_ACCEPT_STR("application/xcap-diff+xml"),
                  SIPTAG_EXPIRES_STR("3600"), SIPTAG_CONTENT_TYPE_STR(MULTIPART),
                  SIPTAG_PAYLOAD(payload(subscription, &body)), TAG_END());
}

static void unsubscribe(void) {
    static Body body;
    append(&body, INFO, gms_token);
    nua_unsubscribe(subscription, SIPTAG_EVENT_STR(EVENT), SIPTAG_CONTENT_TYPE_STR(INFO_TYPE),
                    SIPTAG_PAYLOAD(payload(subscription, &body)), TAG_END());
}

/* Prints the content of the first GKTP element that has an I_MESSAGE with SAKKE: version 1, data type 26. */
static void print_key(const sip_payload_t *body) {
    require(body != NULL, "the NOTIFY has", "no body");
    static char text[MAX_BODY + 1];
    require(body->pl_len <= MAX_BODY, "the NOTIFY is", "too long");
    memcpy(text, body->pl_data, body->pl_len);
    const char *element = strstr(text, "GKTP ");
    const char *content = element == NULL ? NULL : strchr(element, '>');
    require(content != NULL && strncmp(content + 1, "011A", 4) == 0, "no key in", text);
    int size = strspn(content + 1, "0123456789ABCDEF");
    require(content[1 + size] == '<', "the key has another end in", text);
    printf("%.*s\n", size, content + 1);
}

static void notified(const sip_t *sip) {
    require(sip->sip_subscription_state != NULL, "the NOTIFY has", "no Subscription-State");
    const char *state = sip->sip_subscription_state->ss_substate;
    if (!has_key) {
        require(strcmp(state, "active") == 0, "the subscription is", state);
        print_key(sip->sip_payload);
        has_key = 1;
        unsubscribe();
    } else {
        const char *reason = sip->sip_subscription_state->ss_reason;
        require(strcmp(state, "terminated") == 0, "the subscription is", state);
        require(reason != NULL && strcmp(reason, "timeout") == 0, "it ended by", reason == NULL ? "no reason" : reason);
        exit(fflush(stdout) == 0 ? 0 : 1);
    }
}

static void authenticate(const sip_t *sip) {
    char login[512];
    static int tried;
    require(!tried++ && sip->sip_www_authenticate != NULL, "REGISTER:", "the password is refused");
    snprintf(login, sizeof login, "Digest:\"home1.net\":%s:%s", ims, password);
    nua_authenticate(registration, NUTAG_AUTH(login), TAG_END());
}

static void on_event(nua_event_t event, int status, char const *phrase, nua_t *nua, nua_magic_t *magic, nua_handle_t *handle,
                     nua_hmagic_t *handle_magic, sip_t const *sip, tagi_t tags[]) {
    (void)magic, (void)handle, (void)handle_magic, (void)tags;
    const char *name = nua_event_name(event);
    if (event == nua_i_notify) notified(sip);
    else if (event == nua_r_register && status == 401) authenticate(sip);
    else if (status < 200) return;
    else if (status >= 300) require(0, name, phrase);
    else if (event == nua_r_register) publish(nua);
    else if (event == nua_r_publish) subscribe(nua);
}

int main(int argc, char **argv) {
    require(argc == 8, "arguments:", "PROXY IMS PASSWORD MCX-TOKEN GMS-TOKEN GKTP CSK-FILE");
    const char *proxy = argv[1], *transport = strstr(proxy, ";transport=");
    char from[256], address[64];
    ims = argv[2], password = argv[3], mcx_token = argv[4], gms_token = argv[5], gktp = argv[6], csk_file = argv[7];
    require(transport != NULL, "no transport in", proxy);
    snprintf(from, sizeof from, "<sip:%s@home1.net>", ims);
    snprintf(address, sizeof address, "sip:127.0.0.1:*%s", transport);
    alarm(LIMIT);
    su_init();
    su_root_t *root = su_root_create(NULL);
    /* Requests of more than 1300 octets would leave UDP for TCP (RFC 3261 18.1.1), and this test is of one transport. */
    nua_t *nua = nua_create(root, on_event, NULL, NUTAG_URL(address), NUTAG_PROXY(proxy), NTATAG_UDP_MTU(MAX_BODY),
                            SIPTAG_FROM_STR(from), NUTAG_M_USERNAME(ims),
                            NUTAG_OUTBOUND("no-outbound no-natify no-validate no-options-keepalive"), TAG_END());
    require(nua != NULL, "no user agent at", address);
    registration = nua_handle(nua, NULL, SIPTAG_TO_STR(from), TAG_END());
    nua_register(registration, NUTAG_REGISTRAR("sip:home1.net"), SIPTAG_EXPIRES_STR("600"), TAG_END());
    su_root_run(root);
    return 1;
}

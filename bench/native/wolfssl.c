/* The rows of the benchmark on wolfCrypt's SAKKE and ECCSI. Prints one JSON object: row name to best and median
 * microseconds and number of samples. Arguments: rounds, milliseconds a row and round.
 *
 * A "prepared" key has wolfCrypt's table of the RSK. Receivers are new each time, as in the rows of the package:
 * the point of an identity is worked out with its encapsulation. */
#include <wolfssl/options.h>
#include <wolfssl/version.h>
#include <wolfssl/wolfcrypt/eccsi.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/random.h>
#include <wolfssl/wolfcrypt/sakke.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ID = 32, SSV = 16, AUTH = 257, SIGNATURE = 129, MAX_SAMPLES = 1 << 16 };

static WC_RNG rng;
/* `kms` has the master secret, `sender` the public key, the receivers the public key and an RSK. */
static SakkeKey kms, sender, plain, prepared, maker;
static EccsiKey authority, signer, verifier;
static ecc_point *rsk, *pvt, *other;
static mp_int ssk;
static byte id[ID], strange[ID], ssv[SSV], auth[AUTH], text[ID];
typedef struct {
    byte id[ID], octets[SIGNATURE];
} Signature;
static Signature known, unknown;
static byte *table;
static word32 table_size;

static void require(int ok, const char *what) {
    if (ok) return;
    fprintf(stderr, "wolfssl: %s failed\n", what);
    exit(1);
}

#define CALL(f) require((f) == 0, #f)

static void set_up_sakke(void) {
    byte raw[512];
    word32 size = sizeof raw;
    word16 auth_size = AUTH;
    byte hidden[SSV];
    SakkeKey *keys[] = {&kms, &sender, &plain, &prepared, &maker};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) CALL(wc_InitSakkeKey(keys[i], NULL, INVALID_DEVID));
    CALL(wc_MakeSakkeKey(&kms, &rng));
    CALL(wc_ExportSakkePublicKey(&kms, raw, &size, 1));
    for (size_t i = 1; i < sizeof keys / sizeof *keys; i++) CALL(wc_ImportSakkePublicKey(keys[i], raw, size, 1));
    require((rsk = wc_ecc_new_point()) != NULL && (other = wc_ecc_new_point()) != NULL, "new point");
    CALL(wc_MakeSakkeRsk(&kms, id, ID, rsk));
    CALL(wc_SetSakkeRsk(&plain, rsk, NULL, 0));
    CALL(wc_SetSakkeIdentity(&plain, id, ID));
    require(wc_GenerateSakkeRskTable(&prepared, rsk, NULL, &table_size) == LENGTH_ONLY_E, "size of the table");
    require((table = malloc(table_size)) != NULL, "memory");
    CALL(wc_GenerateSakkeRskTable(&prepared, rsk, table, &table_size));
    CALL(wc_SetSakkeRsk(&prepared, rsk, table, table_size));
    CALL(wc_SetSakkeIdentity(&prepared, id, ID));
    CALL(wc_SetSakkeIdentity(&sender, id, ID));
    memcpy(hidden, ssv, SSV);
    CALL(wc_MakeSakkeEncapsulatedSSV(&sender, WC_HASH_TYPE_SHA256, hidden, SSV, auth, &auth_size));
    memcpy(ssv, hidden, SSV);
}

/* Of a new signer, whose key stays the one of `signer`. */
static void new_signature(Signature *out) {
    byte hash[WC_MAX_DIGEST_SIZE], hash_size;
    word32 size = SIGNATURE;
    CALL(wc_RNG_GenerateBlock(&rng, out->id, ID));
    CALL(wc_MakeEccsiPair(&authority, &rng, WC_HASH_TYPE_SHA256, out->id, ID, &ssk, pvt));
    CALL(wc_HashEccsiId(&signer, WC_HASH_TYPE_SHA256, out->id, ID, pvt, hash, &hash_size));
    CALL(wc_SetEccsiHash(&signer, hash, hash_size));
    CALL(wc_SetEccsiPair(&signer, &ssk, pvt));
    CALL(wc_SignEccsiHash(&signer, &rng, WC_HASH_TYPE_SHA256, text, ID, out->octets, &size));
}

static void set_up_eccsi(void) {
    byte raw[128];
    word32 size = sizeof raw;
    EccsiKey *keys[] = {&authority, &signer, &verifier};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) CALL(wc_InitEccsiKey(keys[i], NULL, INVALID_DEVID));
    CALL(wc_MakeEccsiKey(&authority, &rng));
    CALL(wc_ExportEccsiPublicKey(&authority, raw, &size, 1));
    CALL(wc_ImportEccsiPublicKey(&signer, raw, size, 1));
    CALL(wc_ImportEccsiPublicKey(&verifier, raw, size, 1));
    require((pvt = wc_ecc_new_point()) != NULL, "new point");
    CALL(mp_init(&ssk));
    new_signature(&known);
}

static void new_identity(void) {
    CALL(wc_RNG_GenerateBlock(&rng, strange, ID));
}

static void encapsulate(void) {
    byte hidden[SSV], out[AUTH];
    word16 size = AUTH;
    CALL(wc_SetSakkeIdentity(&maker, strange, ID));
    memcpy(hidden, ssv, SSV);
    CALL(wc_MakeSakkeEncapsulatedSSV(&maker, WC_HASH_TYPE_SHA256, hidden, SSV, out, &size));
}

static void derive(SakkeKey *key) {
    byte hidden[SSV];
    memcpy(hidden, ssv, SSV);
    CALL(wc_DeriveSakkeSSV(key, WC_HASH_TYPE_SHA256, hidden, SSV, auth, AUTH));
}

static void decapsulate(void) { derive(&plain); }
static void decapsulate_prepared(void) { derive(&prepared); }
static void issue(void) { CALL(wc_MakeSakkeRsk(&kms, strange, ID, other)); }

static void validate(void) {
    int valid = 0;
    CALL(wc_ValidateSakkeRsk(&sender, id, ID, rsk, &valid));
    require(valid, "RSK");
}

static void sign(void) {
    byte out[SIGNATURE];
    word32 size = SIGNATURE;
    CALL(wc_SignEccsiHash(&signer, &rng, WC_HASH_TYPE_SHA256, text, ID, out, &size));
}

/* From the octets of the signature on, the hash of the identity among it. */
static void verify_of(const Signature *given) {
    byte hash[WC_MAX_DIGEST_SIZE], hash_size;
    int verified = 0;
    CALL(wc_DecodeEccsiPvtFromSig(&verifier, given->octets, SIGNATURE, pvt));
    CALL(wc_HashEccsiId(&verifier, WC_HASH_TYPE_SHA256, given->id, ID, pvt, hash, &hash_size));
    CALL(wc_SetEccsiHash(&verifier, hash, hash_size));
    CALL(wc_VerifyEccsiHash(&verifier, WC_HASH_TYPE_SHA256, text, ID, given->octets, SIGNATURE, &verified));
    require(verified, "signature");
}

static void new_signer(void) { new_signature(&unknown); }
static void verify(void) { verify_of(&unknown); }
static void verify_known(void) { verify_of(&known); }

/* wolfCrypt keeps multiples of points it met often; strangers have filled that cache. */
static void meet_again(void) {
    wc_ecc_fp_free();
    for (int i = 0; i < 4; i++) verify_known();
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static const struct {
    const char *name;
    /* Before each call; not timed. */
    void (*prepare)(void);
    void (*run)(void);
    /* Before each round. */
    void (*begin)(void);
} rows[] = {
    {"sakke.encapsulate.single", new_identity, encapsulate, NULL},
    {"sakke.decapsulate", NULL, decapsulate, NULL},
    {"sakke.decapsulate.prepared", NULL, decapsulate_prepared, NULL},
    {"sakke.issue.batch", new_identity, issue, NULL},
    {"sakke.validate", NULL, validate, NULL},
    {"eccsi.sign.single", NULL, sign, NULL},
    {"eccsi.verify", new_signer, verify, NULL},
    {"eccsi.verify.known", NULL, verify_known, meet_again},
};
enum { ROWS = sizeof rows / sizeof *rows };

int main(int argc, char **argv) {
    static double samples[ROWS][MAX_SAMPLES];
    int count[ROWS] = {0};
    int rounds = argc > 1 ? atoi(argv[1]) : 8;
    double budget = 1000.0 * (argc > 2 ? atof(argv[2]) : 30);
    CALL(wc_InitRng(&rng));
    CALL(wc_RNG_GenerateBlock(&rng, id, ID));
    CALL(wc_RNG_GenerateBlock(&rng, ssv, SSV));
    CALL(wc_RNG_GenerateBlock(&rng, text, ID));
    set_up_sakke();
    set_up_eccsi();
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < ROWS; i++) {
            double spent = 0;
            if (rows[i].begin) rows[i].begin();
            while (spent < budget && count[i] < MAX_SAMPLES) {
                if (rows[i].prepare) rows[i].prepare();
                double started = now();
                rows[i].run();
                double took = now() - started;
                samples[i][count[i]++] = took;
                spent += took;
            }
        }
    }
    printf("{\"version\":\"%s\",\"tableBytes\":%u,\"rows\":{", LIBWOLFSSL_VERSION_STRING, table_size);
    for (int i = 0, n = 0; i < ROWS; i++) {
        /* Some builds have no tables of the RSK. */
        if (rows[i].run == decapsulate_prepared && table_size == 0) continue;
        qsort(samples[i], count[i], sizeof(double), ascending);
        printf("%s\"%s\":{\"best\":%.2f,\"median\":%.2f,\"samples\":%d}", n++ ? "," : "", rows[i].name, samples[i][0],
               samples[i][count[i] / 2], count[i]);
    }
    printf("}}\n");
    return 0;
}

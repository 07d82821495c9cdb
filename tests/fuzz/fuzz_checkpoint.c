/* Checkpoints as text, and proofs: no proof made of foreign bytes passes for a root it was not made
 * for, and what parses prints again. */
#include "tests/fuzz/fuzz.h"

#include "core/tlog.h"

static void checkpoint(struct rg_bytes text)
{
    struct rg_head head;
    struct rg_reason why = {0};
    rg_outcome outcome = rg_checkpoint_parse(text, &head, &why);
    if (!rg_is_ok(outcome)) {
        FUZZ_REFUSED(outcome, &why, "checkpoint-", "base64-", "head-", "buffer-");
        return;
    }
    RG_ASSERT(strlen(head.origin) > 0 && strlen(head.origin) < sizeof(head.origin));
    static const uint8_t public_key[32] = {1};
    struct rg_head back;
    RG_OWNED_BUFFER again = {0};
    RG_ASSERT(rg_is_ok(rg_checkpoint_print(&head, public_key, &again, NULL)));
    RG_ASSERT(rg_is_ok(rg_checkpoint_parse(rg_buffer_peek(&again), &back, NULL)));
    RG_ASSERT(strcmp(head.origin, back.origin) == 0 && head.size == back.size &&
              memcmp(&head.root, &back.root, sizeof(head.root)) == 0 &&
              memcmp(head.signature, back.signature, sizeof(head.signature)) == 0);
}

static uint64_t number_take(struct rg_bytes *bytes)
{
    uint64_t number = 0;
    size_t len = bytes->len < 8 ? bytes->len : 8;
    for (size_t i = 0; i < len; i++) {
        number = number << 8 | bytes->data[i];
    }
    *bytes = rg_bytes_of(bytes->data + len, bytes->len - len);
    return number;
}

/* Two numbers, then hashes. The roots are fixed, so that only a broken check can say yes. */
static void proofs(struct rg_bytes bytes)
{
    uint64_t first = number_take(&bytes);
    uint64_t second = number_take(&bytes);
    struct rg_proof proof = {0};
    while (bytes.len >= 32 && proof.count < RG_PROOF_HASHES_MAX) {
        memcpy(proof.hash[proof.count++].b, bytes.data, 32);
        bytes = rg_bytes_of(bytes.data + 32, bytes.len - 32);
    }
    struct rg_hash old_root = {{1}};
    struct rg_hash new_root = {{2}};
    struct rg_reason why = {0};
    rg_outcome outcome = rg_proof_inclusion_check(old_root, first, second, new_root, &proof, &why);
    FUZZ_REFUSED(outcome, &why, "proof-");
    outcome = rg_proof_consistency_check(first, old_root, second, new_root, &proof, &why);
    FUZZ_REFUSED(outcome, &why, "proof-");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    checkpoint(rg_bytes_of(data, size));
    proofs(rg_bytes_of(data, size));
    return 0;
}

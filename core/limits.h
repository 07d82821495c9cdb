/*
 * NAME
 *   limits - every bound of the project, with its unit and one line of why
 */
#ifndef RG_CORE_LIMITS_H
#define RG_CORE_LIMITS_H

#define RG_KIB 1024
#define RG_MIB (1024 * 1024)

/* Memory: no single buffer above this; the largest lawful thing is a 32 MiB section. */
#define RG_BUFFER_BYTES_MAX (48 * RG_MIB)

/* Names on the wire. Countries are lower-case ISO 3166 alpha-2, or a partner's code up to 8. */
#define RG_COUNTRY_BYTES 12    /* with NUL */
#define RG_OFFICE_BYTES 64     /* "th/ngo-alpha", with NUL */
#define RG_PRINCIPAL_BYTES 128 /* "referral://th/ngo-alpha/officer-3", with NUL */
#define RG_DEVICE_BYTES 48
#define RG_ORIGIN_BYTES 64 /* "referral/th/1" */

/* Envelope: an inline envelope fits one frame; the guard leaves room for proofs around it. */
#define RG_SECTIONS_MAX 16
#define RG_SECTION_OFFICES_MAX 4
#define RG_TO_OFFICES_MAX 4
#define RG_SECTION_INLINE_BYTES_MAX (64 * RG_KIB)
#define RG_SECTION_BYTES_MAX (32 * RG_MIB)       /* padded; larger ones than inline go as chunks */
#define RG_SEALED_INLINE_BYTES_MAX (80 * RG_KIB) /* 64 KiB padded, 32 wraps, two signatures */
#define RG_HEADER_BYTES_MAX (16 * RG_KIB)
#define RG_WALL_MS_MAX 253402300799999 /* end of the year 9999 */
#define RG_CODE_MAX 9999               /* refusals, not-now codes, faults: known or not yet known */
#define RG_ENVELOPE_BYTES_MAX (256 * RG_KIB)
#define RG_FRAME_BYTES_MAX (272 * RG_KIB)
#define RG_ZMTP_READY_BYTES_MAX 512
#define RG_CHUNK_BYTES_MAX (64 * RG_KIB)
#define RG_READERS_MAX 32 /* wraps are filled up to 4, 8, 16 or 32 */
#define RG_AUTHORS_MAX 2  /* irreversible acts carry two officers' signatures */
#define RG_PADDED_BYTES_MIN (1 * RG_KIB)

/* Decoding: protobuf-c can need 64 times its input; more than this is refused. */
#define RG_DECODE_CAP_BASE_BYTES (64 * RG_KIB)
#define RG_DECODE_CAP_FACTOR 8

/* Frames */
#define RG_HELLO_HOLDINGS_MAX 256
#define RG_HELLO_HEADS_MAX 64
#define RG_RECEIPT_ENTRIES_MAX 256
#define RG_PROOF_HASHES_MAX 64 /* a 2^63 leaf tree */
#define RG_IDS_PER_FRAME_MAX 1024
#define RG_LOG_ENTRY_BYTES_MAX 512
#define RG_NOTARY_LEAVES_MAX 8192 /* catching up after a crash goes in steps */
#define RG_FAULT_TEXT_BYTES 200

/* Trust documents */
#define RG_DOCUMENT_BYTES_MAX (200 * RG_KIB) /* must travel in one frame with its signatures */
#define RG_DOCUMENT_SIGNATURES_MAX 16
#define RG_DOCUMENT_SIGNATURE_BYTES_MAX (4 * RG_KIB)
#define RG_COUNTRIES_MAX 64
#define RG_CARD_BYTES_MAX (4 * RG_KIB)
#define RG_SETTINGS_NAMES_MAX 256             /* in one group; libconfig compares each with each */
#define RG_CERTIFICATE_BYTES_MAX (4 * RG_KIB) /* DER; ours have about 600 bytes */
#define RG_KEY_FILE_BYTES_MAX (8 * RG_KIB)    /* PEM of one private key */
#define RG_SIGNATURE_BYTES_MAX (4 * RG_KIB)   /* detached CMS, DER; ours have about 320 */
#define RG_READING_DAYS_MAX 31                /* validity of a reading key */
#define RG_MESSAGE_DAYS_MAX 90     /* created to collect-by; a reading key is kept so much longer */
#define RG_CARDS_PER_OFFICER_MAX 8 /* valid at the same time, for overlap and devices */
#define RG_PAGE_GRACE_DAYS 14      /* after valid_until: what was trusted goes on */

/* Link (see DESIGN of the link in docs/architecture.md for the measurements behind each) */
#define RG_LINK_HELLO_MS_MAX 10000
#define RG_LINK_PENDING_BYTES_MAX                                                                  \
    (256 * RG_KIB) /* stop reading one side while so much waits for the other */
#define RG_LINK_DRAIN_MS_MAX 2000
#define RG_WINDOW_BYTES_MIN (64 * RG_KIB)
#define RG_WINDOW_BYTES_MAX (4 * RG_MIB)
#define RG_BUS_HWM 16

/* Courier batches */
#define RG_BATCH_FRAMES_MAX 256
#define RG_BATCH_MS_MAX 10

_Static_assert(RG_ENVELOPE_BYTES_MAX < RG_FRAME_BYTES_MAX, "an envelope fits a frame");
_Static_assert(RG_DOCUMENT_BYTES_MAX < RG_FRAME_BYTES_MAX, "a document fits a frame");
_Static_assert(RG_CHUNK_BYTES_MAX < RG_FRAME_BYTES_MAX, "a chunk fits a frame");

#endif

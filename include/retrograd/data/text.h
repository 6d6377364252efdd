/* Retrograd: text as tokens, and windows of it to learn the next token from. Errors: see data.h. */
#ifndef RETROGRAD_DATA_TEXT_H
#define RETROGRAD_DATA_TEXT_H

#include <retrograd/data/source.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum rg_text_unit {
    RG_BYTES = 0,  /* a token is a byte; the vocabulary is 256                                                  */
    RG_CHARACTERS, /* a token is a character of UTF-8; the vocabulary are those that occur, by code point       */
} rg_text_unit;

typedef struct rg_text {
    rg_text_unit unit;
    int64_t count, vocabulary;
    int64_t *tokens;      /* [count], 0 .. vocabulary - 1                    */
    uint32_t *characters; /* [vocabulary] code points, ascending; of bytes NULL */
} rg_text;

/* Characters must be valid UTF-8 (RFC 3629); a file is at most 2^32 bytes. The caller frees. */
RG_API rg_text *rg_text_read(const char *path, rg_text_unit unit, char *error, size_t size);
RG_API rg_text *rg_text_new(const char *text, size_t length, rg_text_unit unit, char *error, size_t size);
RG_API void rg_text_free(rg_text *text);

/* Tokens of more text in the same vocabulary: returns how many there are, of which the first `room` are written; -1 and an
 * error where a character is not in it. */
RG_API int64_t rg_text_encode(const rg_text *text, const char *more, size_t length, int64_t *tokens, int64_t room,
                              char *error, size_t size);
/* The text of tokens: writes as many whole tokens as fit `room` bytes with a NUL, and returns the bytes of all (without the
 * NUL); -1 where a token is not in the vocabulary. */
RG_API int64_t rg_text_decode(const rg_text *text, const int64_t *tokens, int64_t count, char *out, size_t room);

/* Windows of `length` tokens of the part [first, first + count): sample i is x = tokens[first + i stride ...], y the tokens
 * one place on; both i64 [length]. stride 0: `length`, windows do not overlap. The text must outlive the source. For windows at
 * random places take stride 1 and let the loader draw. */
RG_API rg_source *rg_text_windows(const rg_text *text, int64_t first, int64_t count, int64_t length, int64_t stride,
                                  char *error, size_t size);

#ifdef __cplusplus
}
#endif
#endif

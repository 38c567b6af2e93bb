#include "rules/search.h"
#include <string.h>

void search_prepare(struct search_text *text, struct span folded)
{
    memset(text->grams, 0, sizeof text->grams);
    text->folded = folded;
    text->distinct_count = 0;
    for (size_t i = 0; i + GRAM_SIZE <= folded.len; i++) {
        uint32_t gram = gram_hash(folded.ptr + i);
        uint64_t bit = UINT64_C(1) << gram % 64;
        if (text->grams[gram / 64] & bit) continue;
        text->grams[gram / 64] |= bit;
        text->distinct[text->distinct_count++] = (uint16_t)gram;
    }
}

static bool has_gram(const struct search_text *text, uint16_t gram)
{
    if (gram == GRAM_NONE) return true;
    gram &= GRAM_COUNT - 1;
    return text->grams[gram / 64] >> gram % 64 & 1;
}

bool search_has_phrase(const struct ruleset *set, const struct search_text *text, uint32_t index)
{
    const struct image_phrase *stored =
        (const struct image_phrase *)image_items(set, IMAGE_PHRASES, NULL) + index;
    if (!has_gram(text, stored->grams[0]) || !has_gram(text, stored->grams[1])) return false;
    const struct image_ref *fragments =
        (const struct image_ref *)image_items(set, IMAGE_FRAGMENTS, NULL) + stored->fragments_at;
    struct phrase phrase;
    phrase.count = stored->fragment_count;
    phrase.begins = stored->begins != 0;
    phrase.ends = stored->ends != 0;
    for (uint32_t i = 0; i < stored->fragment_count; i++)
        phrase.fragments[i] = image_text(set, fragments[i]);
    return phrase_matches(&phrase, text->folded);
}

/* The next bucket with something in it: those of the text's grams, then the one of phrases without
 * a gram. */
static bool bucket_next(const struct ruleset *set, const struct search_text *text,
                        struct search_cursor *cursor)
{
    const uint32_t *buckets = image_items(set, IMAGE_BUCKETS, NULL);
    while (cursor->at == cursor->end) {
        if (cursor->gram > text->distinct_count) return false;
        bool last = cursor->gram == text->distinct_count;
        uint32_t bucket = last ? GRAM_COUNT : text->distinct[cursor->gram];
        cursor->gram++;
        cursor->at = buckets[bucket];
        cursor->end = buckets[bucket + 1];
    }
    return true;
}

bool search_next(const struct ruleset *set, const struct search_text *text,
                 struct search_cursor *cursor, uint32_t *phrase)
{
    const uint32_t *filed = image_items(set, IMAGE_FILED, NULL);
    while (bucket_next(set, text, cursor)) {
        *phrase = filed[cursor->at++];
        if (search_has_phrase(set, text, *phrase)) return true;
    }
    return false;
}

#include "base/arena.h"
#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

static void pieces_are_aligned_apart_and_writable(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 256, 0);
    char *pieces[200];
    for (size_t i = 0; i < 200; i++) {
        pieces[i] = arena_take(&arena, i);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
        memset(pieces[i], (int)i, i);
    }
    for (size_t i = 0; i < 200; i++)
        for (size_t at = 0; at < i; at++) assert_int_equal((unsigned char)pieces[i][at], i);
    arena_done(&arena);
}

static void the_limit_holds_to_the_byte_and_over_resets(void **state)
{
    (void)state;
    const size_t unit = alignof(max_align_t);
    struct arena arena;
    arena_init(&arena, 64, unit * 10);
    for (int round = 0; round < 3; round++) {
        assert_non_null(arena_take(&arena, unit * 9));
        assert_null(arena_take(&arena, unit + 1));
        assert_non_null(arena_take(&arena, unit));
        assert_null(arena_take(&arena, 1));
        assert_null(arena_take(&arena, SIZE_MAX));
        assert_null(arena_copy(&arena, SPAN("x")).ptr);
        assert_null(arena_copy_text(&arena, SPAN("x")).ptr);
        assert_null(arena_take_zero(&arena, 1));
        arena_reset(&arena);
    }
    arena_done(&arena);
}

static void a_size_near_the_end_of_memory_is_refused(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 64, 1024);
    assert_null(arena_take(&arena, SIZE_MAX - 1));
    assert_null(arena_take(&arena, SIZE_MAX / 2 + 1));
    assert_null(arena_copy_text(&arena, (struct span){"", SIZE_MAX}).ptr);
    arena_done(&arena);
}

static void memory_is_used_again_after_a_reset(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 4096, 0);
    void *first = arena_take(&arena, 100);
    arena_take(&arena, 3000);
    arena_take(&arena, 3000); /* a second block */
    void *huge = arena_take(&arena, 1 << 20);
    assert_non_null(huge);
    arena_reset(&arena);
    assert_int_equal(arena.used, 0);
    assert_ptr_equal(arena_take(&arena, 100), first);
    arena_done(&arena);
}

static void copies_stand_alone_and_texts_end_with_nul(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 0, 0);
    char text[] = "a\0b";
    struct span copy = arena_copy(&arena, span_of(text, 3));
    struct span string = arena_copy_text(&arena, span_of(text, 3));
    struct span empty = arena_copy(&arena, SPAN_NONE);
    memset(text, 'x', 3);
    assert_true(span_equal(copy, SPAN("a\0b")));
    assert_true(span_equal(string, SPAN("a\0b")));
    assert_int_equal(string.ptr[3], '\0');
    assert_int_equal(empty.len, 0);
    const char *zero = arena_take_zero(&arena, 300);
    for (size_t i = 0; i < 300; i++) assert_int_equal(zero[i], 0);
    arena_done(&arena);
    arena_done(&arena); /* twice does no harm */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_aligned_apart_and_writable),
        cmocka_unit_test(the_limit_holds_to_the_byte_and_over_resets),
        cmocka_unit_test(a_size_near_the_end_of_memory_is_refused),
        cmocka_unit_test(memory_is_used_again_after_a_reset),
        cmocka_unit_test(copies_stand_alone_and_texts_end_with_nul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

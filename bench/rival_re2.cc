// RE2::Set: all phrases in one automaton, unanchored.
#include "bench/rivals.h"
#include <cstdio>
#include <memory>
#include <re2/re2.h>
#include <re2/set.h>
#include <string>
#include <vector>

struct rival {
    std::unique_ptr<RE2::Set> set;
    std::vector<int> found;
};

struct rival *rival_re2_new(const struct span *phrases, size_t count)
{
    RE2::Options options;
    options.set_case_sensitive(false);
    options.set_dot_nl(true);
    options.set_encoding(RE2::Options::EncodingLatin1);
    options.set_log_errors(false);
    options.set_max_mem(int64_t{1} << 30);
    auto rival = std::make_unique<struct rival>();
    rival->set = std::make_unique<RE2::Set>(options, RE2::UNANCHORED);
    for (size_t i = 0; i < count; i++) {
        std::string regex(8 * phrases[i].len + 16, '\0');
        regex.resize(rival_regex(phrases[i], regex.data()));
        std::string error;
        if (rival->set->Add(regex, &error) < 0) {
            std::fprintf(stderr, "re2 refuses %s: %s\n", regex.c_str(), error.c_str());
            return nullptr;
        }
    }
    if (!rival->set->Compile()) {
        std::fprintf(stderr, "re2 cannot compile the set\n");
        return nullptr;
    }
    return rival.release();
}

uint64_t rival_re2_match(struct rival *rival, struct span text)
{
    rival->found.clear();
    rival->set->Match(re2::StringPiece(text.ptr, text.len), &rival->found);
    return rival->found.size();
}

void rival_re2_free(struct rival *rival)
{
    delete rival;
}

# The stages of ./dev test; sourced by it. A stage is a function `stage_NAME` that prints its log and, where it counts
# something, ends it with the line "N passed, N failed". `stage-` names with a dash have functions with an underscore.

stages=(format includes headers refusals rooms words docs names awaits lint lifetimes asan asan-clang16 tsan release install shared
    budget)

stage_format() { sources | "$house/format" clang-format-19; }
stage_includes() { "$house/include_rules"; }
stage_headers() { "$house/header_self_containment" clang++-19; } # with clang-16 they are compiled by its tests
stage_refusals() { "$house/refusals" clang++-19; }
stage_rooms() { "$house/room_sizes"; }
stage_words() { "$house/forbidden_words"; }
stage_docs() { "$house/docs" --check; }
stage_names() { "$house/asyncio_table"; }
stage_awaits() { "$house/swept_awaits"; }
stage_asan() { test_preset asan; }
stage_release() { GTEST_SHUFFLE=1 test_preset release; } # no test may depend on the order
stage_asan_clang16() { test_floors asan-clang16 coro task sync; } # what instantiates coroutines
stage_tsan() { test_preset tsan; }
stage_lifetimes() { compile asan rondo_test_precompiled && "$house/lifetimes" "$root/build/asan"; }
stage_lint() { database asan && "$house/lint" "$root/build/asan"; }
stage_install() { compile release rondo rondo_shared rondo_sim && "$root/tests/install/check" "$root/build/release" clang++-19 clang++-16; }
stage_budget() { python3 "$root/bench/driver_test.py" && compile release bench-budget && python3 "$root/bench/driver" budget; }
stage_shared() { compile release rondo_shared && "$house/shared_library" "$root/build/release/lib/librondo.so"; }

# test_preset PRESET [ctest options] builds everything and runs the tests; GTEST_FILTER narrows them.
test_preset() {
    compile "$1" && run_ctest "$@"
}

# test_floors PRESET NAME... builds and runs the tests of these folders of tests/ only.
test_floors() {
    local preset=$1
    shift
    local names="${*/#/test-}"
    compile "$preset" "${@/#/test-}" && run_ctest "$preset" --tests-regex "^(${names// /|})\$"
}

run_ctest() {
    local preset=$1 results=$root/build/$1/results calm=()
    shift
    # ASan before LLVM 18 cannot place its shadow when the kernel randomises 32 bits of an address (vm.mmap_rnd_bits).
    if [[ $preset == *-clang16 ]] && setarch -R true 2>/dev/null; then calm=(setarch -R); fi
    rm -rf "$results" && mkdir -p "$results"
    (cd "$root" && "${calm[@]}" ctest --preset "$preset" --parallel "$jobs" --output-junit "$results/ctest.xml" "$@") || true
    "$house/results" "$results"
}

# run_stage NAME FUNCTION [ARG...] runs it with its output in a log, and leaves a row for the summary.
summary=()
total_passed=0
total_failed=0
run_stage() {
    local name=$1 log=$root/build/logs/$1.log status=0 passed=0 failed=0 result=passed start=$SECONDS counts
    shift
    mkdir -p "$root/build/logs"
    printf '%-14s ' "$name" >&2
    ("$@") >"$log" 2>&1 </dev/null || status=$?
    counts=$(grep -aE '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1) || counts="$((status == 0)) passed, 0 failed"
    read -r passed _ failed _ <<<"$counts"
    if ((status != 0 && failed == 0)); then failed=1; fi
    if ((failed)); then result=FAILED; fi
    total_passed=$((total_passed + passed))
    total_failed=$((total_failed + failed))
    summary+=("$(printf '%-14s %-7s %7d %7d %8d' "$name" "$result" "$passed" "$failed" $((SECONDS - start)))")
    say "$result, $((SECONDS - start)) s"
    if ((failed)); then
        tail -n 40 "$log" | sed 's/^/    /' >&2
        say "    full log: build/logs/$name.log"
    fi
}

print_summary() {
    printf '\n%-14s %-7s %7s %7s %8s\n' stage result passed failed seconds
    printf '%s\n' "${summary[@]}"
    printf '\n%d passed, %d failed\n' "$total_passed" "$total_failed"
    ((total_failed == 0))
}

run_tests() {
    (($# <= 2)) || refuse "test takes a filter and a preset, not '$*'"
    local wanted=${1:-} preset=${2:-asan} stage
    known_preset "$preset"

    if [[ $wanted == stages ]]; then
        printf '%s\n' "${stages[@]}"
        return
    fi
    for stage in "${stages[@]}"; do
        [[ -z $wanted || $wanted == "$stage" ]] || continue
        run_stage "$stage" "stage_${stage//-/_}"
    done
    if ((${#summary[@]} == 0)); then run_matching_tests "$wanted" "$preset"; fi
    print_summary
}

# The short loop of a developer: one folder of tests/, or what a GoogleTest filter matches, shown as it runs.
run_matching_tests() {
    local wanted=$1 preset=$2
    need_for_preset "$preset"
    if [[ -d $root/tests/$wanted ]]; then
        run_stage "$wanted" test_preset "$preset" --tests-regex "^test-$wanted(-O0)?\$"
    else
        [[ $wanted == *[.*?:]* ]] || wanted="*$wanted*"
        GTEST_FILTER=$wanted run_stage "$preset" test_preset "$preset"
    fi
    if ((total_passed + total_failed == 0)); then refuse "no stage, no folder and no test matches '$wanted'"; fi
}

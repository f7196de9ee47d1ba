// scheduler, starvation and busy-sleep on the library: the machinery goes.
//
// Read them side by side: diff -u gallery/scheduler.cpp gallery/transformation/scheduler.cpp

#include "support/options.hpp"

#include <cstdio>
#include <string>
#include <string_view>

int scheduler_main(int argc, char** argv);
int starvation_main(int argc, char** argv);
int busy_sleep_main(int argc, char** argv);

namespace {

constexpr struct {
    std::string_view name;
    int (*run)(int argc, char** argv);
} programs[] = {{"scheduler", scheduler_main}, {"starvation", starvation_main}, {"busy-sleep", busy_sleep_main}};

} // namespace

int main(int argc, char** argv) {
    for (const auto& program : programs) {
        if (argc < 2 || argv[1] != program.name) continue;
        std::string both = "transformation " + std::string(program.name); // for its --help
        argv[1] = both.data();
        return program.run(argc - 1, argv + 1);
    }

    gallery::options options(argc, argv, "scheduler, starvation and busy-sleep on the library: the machinery goes.");
    for (const auto& program : programs) options.also(program.name, "only that one; its own options follow");
    options.done();
    for (const auto& program : programs) {
        std::printf("== %s\n\n", program.name.data());
        program.run(1, argv);
        std::printf("\n");
    }
}

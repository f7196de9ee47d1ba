// mayhem: restarts hosts on request, and loses no request.

#include "base/error_text.hpp"
#include "base/errors.hpp"
#include "base/process_setup.hpp"
#include "hosts/host_process.hpp"
#include "report/log.hpp"
#include "report/screen.hpp"
#include "service/service.hpp"
#include "settings/options.hpp"
#include "store/restart_table.hpp"

#include <rondo/rondo.hpp>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>

namespace mayhem {
namespace {

constexpr int ended_well = 0;
constexpr int something_failed = 1;
constexpr int wrong_input = 2;

// Everything that can be wrong with the input is found here, before anything is changed.
checked_input check(const settings& s) {
    if (s.json) check_writable_file(*s.json, "--json");
    data_directory data(s.data);
    journal_image journal = read_journal(data.journal());
    check_restart_table(data.database());
    return {.settings = s,
            .data = std::move(data),
            .journal = std::move(journal),
            .program = std::filesystem::read_symlink("/proc/self/exe").string()};
}

rondo::coro<int> serve(checked_input& input, display& out, log& to) {
    rondo::running_loop().set_exception_handler([&to](rondo::event_loop&, const rondo::error_context& what) {
        to.error("{}: {}", what.message, error_text(what.exception));
    });
    service s(input, out, to);
    co_return co_await s.run();
}

int run(const settings& s) {
    checked_input input = check(s);
    screen out;
    log to(out);
    // The service listens to SIGINT itself, along with the other signals that end it.
    return rondo::run({.handle_sigint = false}, serve, std::ref(input), std::ref(out), std::ref(to));
}

int run(const host_settings& host) {
    rondo::run(host_main, host);
    return ended_well;
}

int run(const just_print& what) {
    std::fputs(what.text.c_str(), stdout);
    return ended_well;
}

int complain(const std::exception& e, int exit_code) {
    std::string line = e.what(); // one, whatever a library has put into its message
    std::replace(line.begin(), line.end(), '\n', ' ');
    std::fprintf(stderr, "mayhem: %s\n", line.c_str());
    return exit_code;
}

} // namespace
} // namespace mayhem

int main(int argc, char** argv) {
    mayhem::set_up_process();
    try {
        return std::visit([](const auto& what) { return mayhem::run(what); }, mayhem::parse_options(argc, argv));
    } catch (const mayhem::bad_input& e) {
        return mayhem::complain(e, mayhem::wrong_input);
    } catch (const std::exception& e) {
        return mayhem::complain(e, mayhem::something_failed);
    }
}

#include "settings/options.hpp"

#include "base/duration_text.hpp"
#include "base/errors.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <charconv>
#include <functional>
#include <string_view>

namespace mayhem {

namespace {

constexpr const char* description =
    "mayhem restarts hosts on request, and loses no request.\n"
    "Without options it runs on embedded defaults: processes of this machine as hosts, a broker and a\n"
    "database in the data directory, and a publisher of random requests. Ctrl-C, SIGTERM, SIGHUP and\n"
    "SIGQUIT end it gracefully; a second signal ends the waiting for what is in flight.";
constexpr const char* exit_codes =
    "Exit code: 0 ended well and the books balance, 1 something failed, 2 bad input (nothing was changed).";

template <class Number> Number parse_number(std::string_view text, const char* what) {
    Number value{};
    const auto [rest, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed == std::errc::result_out_of_range) throw bad_input(fmt::format("'{}' is out of range", text));
    if (failed != std::errc() || rest != text.data() + text.size())
        throw bad_input(fmt::format("'{}' is not {}", text, what));
    return value;
}

driver_kind parse_driver(std::string_view text) {
    for (const driver_kind kind : {driver_kind::local, driver_kind::simulated}) {
        if (text == to_string(kind)) return kind;
    }
    throw bad_input(fmt::format("'{}' is not a driver (known: local, simulated)", text));
}

// Values arrive as text and are read by us: our messages name the option, the value and what would be right.
void add_value(CLI::App& app, const std::string& name, const std::string& kind, const std::string& help,
               std::function<void(const std::string&)> take) {
    auto named = [name, take = std::move(take)](const std::string& text) {
        try {
            take(text);
        } catch (const bad_input& e) {
            throw bad_input(fmt::format("{}: {}", name, e.what()));
        }
    };
    app.add_option_function<std::string>(name, std::move(named), help)->type_name(kind)->take_last();
}

void parse(CLI::App& app, int argc, const char* const* argv) {
    try {
        app.parse(argc, argv);
    } catch (const CLI::ExtrasError&) {
        throw bad_input(fmt::format("{}: no such option (mayhem --help lists them)", app.remaining().front()));
    } catch (const CLI::ArgumentMismatch& e) { // its message starts with the name of the option
        const std::string_view said = e.what();
        throw bad_input(
            fmt::format("{}: a value is missing (mayhem --help tells more)", said.substr(0, said.find(':'))));
    }
}

command parse_host_options(int argc, const char* const* argv) {
    host_settings host;
    CLI::App app("One host of a local fleet", "mayhem host");
    app.set_help_flag();
    add_value(app, "--name", "NAME", "Name of the host", [&](const std::string& t) { host.name = t; });
    parse(app, argc, argv);
    if (host.name.empty()) throw bad_input("host: --name is missing");
    return host;
}

} // namespace

command parse_options(int argc, const char* const* argv) {
    if (argc > 1 && std::string_view(argv[1]) == "host") return parse_host_options(argc - 1, argv + 1);

    settings s;
    CLI::App app(description, "mayhem");
    app.footer(exit_codes);
    app.set_help_flag("-h,--help", "Print this and end");
    bool version = false;
    app.add_flag("--version", version, "Print the version and end");

    add_value(app, "--for", "TIME", "End after so long: 20s, 500ms, 2m (default: run until a signal comes)",
              [&](const std::string& t) { s.run_for = parse_duration(t); });
    add_value(app, "--driver", "NAME", "What a host is: local (a real process) or simulated (default: local)",
              [&](const std::string& t) { s.driver = parse_driver(t); });
    add_value(app, "--hosts", "N", "Size of the fleet (default: 8 local, 1000 simulated)",
              [&](const std::string& t) { s.hosts = parse_number<std::size_t>(t, "a whole number"); });
    add_value(app, "--rate", "N", "Requests published in a second; 0: only work off what is left (default: 5)",
              [&](const std::string& t) { s.rate = parse_number<double>(t, "a number"); });
    add_value(app, "--data", "DIR", "Where requests and records are kept (default: mayhem-data)",
              [&](const std::string& t) { s.data = t; });
    add_value(app, "--seed", "N",
              "Make the random choices of another run again (default: a new seed, shown at the start)",
              [&](const std::string& t) { s.seed = parse_number<std::uint64_t>(t, "a whole number"); });
    add_value(app, "--json", "FILE", "Write the final books to this file", [&](const std::string& t) { s.json = t; });
    add_value(app, "--grace", "TIME", "How long requests in flight may finish at the end (default: 5s)",
              [&](const std::string& t) { s.grace = parse_duration(t); });
    add_value(app, "--failure-rate", "P", "Share of simulated restarts that fail, 0 to 1 (default: 0.01)",
              [&](const std::string& t) { s.simulation.failure_rate = parse_number<double>(t, "a number"); });

    try {
        parse(app, argc, argv);
    } catch (const CLI::CallForHelp&) {
        return just_print{app.help()};
    }
    if (version) return just_print{"mayhem " MAYHEM_VERSION "\n"};
    validate(s);
    return s;
}

} // namespace mayhem

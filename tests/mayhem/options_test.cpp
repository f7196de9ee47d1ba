#include "settings/options.hpp"

#include "base/errors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

namespace mayhem {
namespace {

command parse(std::vector<const char*> words) {
    words.insert(words.begin(), "mayhem");
    return parse_options(static_cast<int>(words.size()), words.data());
}

std::string complaint(std::vector<const char*> words) {
    try {
        parse(std::move(words));
    } catch (const bad_input& e) {
        return e.what();
    }
    return "no complaint";
}

} // namespace

TEST(Options, AreAllOptional) {
    const auto s = std::get<settings>(parse({}));
    EXPECT_EQ(s.run_for, std::nullopt);
    EXPECT_EQ(s.driver, driver_kind::local);
    EXPECT_EQ(s.fleet_size(), 8u);
    EXPECT_EQ(s.data, "mayhem-data");
    EXPECT_EQ(s.seed, std::nullopt);
}

TEST(Options, FillInTheSettings) {
    const auto s =
        std::get<settings>(parse({"--for", "20s", "--driver=simulated", "--hosts", "7", "--rate", "5000", "--data", "d",
                                  "--seed", "42", "--json", "b.json", "--grace", "500ms", "--failure-rate", "0.25"}));
    EXPECT_EQ(s.run_for, 20s);
    EXPECT_EQ(s.driver, driver_kind::simulated);
    EXPECT_EQ(s.fleet_size(), 7u);
    EXPECT_EQ(s.rate, 5000);
    EXPECT_EQ(s.data, "d");
    EXPECT_EQ(s.seed, 42u);
    EXPECT_EQ(s.json, "b.json");
    EXPECT_EQ(s.grace, 500ms);
    EXPECT_EQ(s.simulation.failure_rate, 0.25);
}

TEST(Options, WrongOnesGiveOneLineThatNamesThem) {
    const std::vector<std::pair<std::vector<const char*>, const char*>> wrong = {
        {{"--nonsense"}, "--nonsense"},
        {{"stray"}, "stray"},
        {{"--rate", "fast"}, "--rate: 'fast'"},
        {{"--rate", "-1"}, "--rate"},
        {{"--rate", "1e9"}, "--rate"},
        {{"--rate", "nan"}, "--rate"},
        {{"--rate"}, "--rate"},
        {{"--hosts", "0"}, "--hosts: 0"},
        {{"--hosts", "2.5"}, "--hosts: '2.5'"},
        {{"--hosts", "5000"}, "--hosts: 5000"},
        {{"--hosts", "99999999999999999999"}, "--hosts: '99999999999999999999'"},
        {{"--for", "20"}, "--for: '20'"},
        {{"--for", "0s"}, "--for"},
        {{"--rate", "--seed", "7"}, "--rate"},
        {{"--driver", "docker"}, "--driver: 'docker'"},
        {{"--seed", "x"}, "--seed: 'x'"},
        {{"--seed", "-1"}, "--seed: '-1'"},
        {{"--data", ""}, "--data"},
        {{"--json", ""}, "--json"},
        {{"--grace", "soon"}, "--grace: 'soon'"},
        {{"--failure-rate", "2"}, "--failure-rate: 2"},
        {{"host"}, "--name"},
    };
    for (const auto& [words, name] : wrong) {
        const std::string said = complaint(words);
        EXPECT_THAT(said, HasSubstr(name));
        EXPECT_THAT(said, Not(HasSubstr("\n"))) << said;
    }
}

TEST(Options, HelpNamesEveryOptionAndHidesTheHostCommand) {
    const auto text = std::get<just_print>(parse({"--help"})).text;
    for (const char* option :
         {"--for", "--driver", "--hosts", "--rate", "--data", "--seed", "--json", "--grace", "Exit code"}) {
        EXPECT_THAT(text, HasSubstr(option));
    }
    EXPECT_THAT(text, Not(HasSubstr("--name")));
}

TEST(Options, AHostIsAProcessOfItsOwn) {
    EXPECT_EQ(std::get<host_settings>(parse({"host", "--name", "web-01"})).name, "web-01");
}

TEST(RetryTerms, DelayDoublesUpToTheLongest) {
    const retry_terms terms{.attempts = 9, .first_delay = 500ms, .longest_delay = 3s};
    EXPECT_EQ(terms.delay_after(1), 500ms);
    EXPECT_EQ(terms.delay_after(2), 1s);
    EXPECT_EQ(terms.delay_after(3), 2s);
    EXPECT_EQ(terms.delay_after(4), 3s);
    EXPECT_EQ(terms.delay_after(4'000'000'000), 3s);
}

} // namespace mayhem

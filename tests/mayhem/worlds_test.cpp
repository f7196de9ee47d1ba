// The whole service in simulated worlds: its journal, its database, its hosts and its signals fail at every step, the machine
// loses its power in the middle, and what it has promised holds afterwards.

#include "base/errors.hpp"
#include "hosts/host_process.hpp"
#include "service/service.hpp"
#include "simulated_disk.hpp"
#include "store/sqlite.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rondo/rondo.hpp>
#include <rondo/sim/gtest.hpp>
#include <rondo/sim/world.hpp>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace std::chrono_literals;

namespace mayhem {
namespace {

using rondo::coro;
using rondo::sim::fault_classes;
using rondo::sim::world;

constexpr const char* journal_file = "/data/requests.journal";
constexpr const char* database_file = "/data/restarts.db";

class keeper_of_lines final : public display {
public:
    bool live() const noexcept override { return false; }
    void log_line(std::string line) override { lines.push_back(std::move(line)); }
    void summary_line(std::string line) override { lines.push_back(std::move(line)); }
    void redraw(std::vector<std::string>) override {}
    bool has(std::string_view text) const {
        return std::ranges::any_of(lines, [&](const std::string& l) { return l.find(text) != l.npos; });
    }
    std::string last() const {
        std::string text;
        for (std::size_t i = lines.size() - std::min<std::size_t>(lines.size(), 25); i < lines.size(); ++i)
            text += "\n    " + lines[i];
        return text;
    }
    std::vector<std::string> lines;
};

/// What a process of the fleet runs, on the pipes that its parent has made.
coro<int> host_program(rondo::sim::invocation me) {
    co_await live(
        {.name = me.argv.at(3),
         .pid = me.pid,
         .tell_port = [&me](std::uint16_t port) -> coro<> { co_await me.out->write(std::to_string(port) + "\n"); },
         .until_end = [&me]() -> coro<> { static_cast<void>(co_await me.in->read_all()); }});
    co_return 0;
}

struct finished_request {
    std::string host;
    bool restarted;
    std::uint64_t sequence;
};

/// What is in the files, seen without touching them.
struct evidence {
    ledger messages;
    std::map<std::string, finished_request> finished; // by id
};

void copy(const std::string& from, const std::string& to) {
    if (const auto text = world().files().contents(from)) world().files().put(to, *text);
    else if (world().files().exists(to)) world().files().remove(to);
}

evidence look(int number) {
    const std::string place = "/judge-" + std::to_string(number);
    copy(journal_file, place + "/journal");
    copy(database_file, place + "/db");
    copy(std::string(database_file) + "-wal", place + "/db-wal");
    copy(std::string(database_file) + "-journal", place + "/db-journal");
    test::simulated_disk disk("judge");
    evidence found{.messages = read_journal(place + "/journal", disk).messages, .finished = {}};
    if (!world().files().exists(place + "/db")) return found;
    sqlite_database db(place + "/db", sqlite_database::mode::write, disk.sqlite_vfs());
    if (db.integer("SELECT count(*) FROM sqlite_schema") == 0) return found;
    if (const std::string check = db.text("PRAGMA quick_check(1)"); check != "ok")
        throw std::runtime_error("the database is damaged: " + check);
    sqlite_statement rows =
        db.prepare("SELECT request_id, host, state, sequence FROM restarts WHERE state != 'started'");
    while (rows.step()) {
        found.finished.emplace(rows.text(0), finished_request{.host = rows.text(1),
                                                              .restarted = rows.text(2) == "restarted",
                                                              .sequence = static_cast<std::uint64_t>(rows.integer(3))});
    }
    return found;
}

/// One life, with all that it stands on. Its task holds it, too.
struct instance {
    explicit instance(std::string name) : disk(std::move(name)) {}
    test::simulated_disk disk;
    keeper_of_lines out;
    log to{out};
    std::optional<checked_input> input;
    std::optional<mayhem::service> service;
};

coro<int> live_through(std::shared_ptr<instance> it) { co_return co_await it->service->run(); }

/// Several lives of the service on one disk.
class chronicle {
public:
    explicit chronicle(fault_classes trouble) : trouble_(trouble) {
        world().add_program("/usr/bin/mayhem", host_program);
        // As main() does: a server that cannot accept for want of descriptors tells it, and tries again.
        rondo::running_loop().set_exception_handler([this](rondo::event_loop&, const rondo::error_context& what) {
            if (current_) current_->to.error("{}", what.message);
        });
    }

    /// Ends by a signal after so long. Its exit code; 1 also when it could not start.
    coro<int> end_in_order(rondo::duration after) { return live(after, false, 6); }
    /// The power goes after so long, unless it ends before.
    coro<> crash(rondo::duration after) { co_await live(after, true, 6); }
    /// The power goes in the middle of the n-th change of a file.
    coro<> crash_at(unsigned change) {
        change_ = change;
        co_await live(1500ms, true, 6);
    }
    /// Nothing fails or is late any more, nothing new is asked for: everything that is left is brought to its end.
    coro<> recover() {
        trouble_ = fault_classes::none();
        world().set_faults(trouble_);
        const int code = co_await live(5min, false, 0);
        EXPECT_EQ(code, 0) << last_lines();
        EXPECT_EQ(before_.messages.pending(), 0U) << last_lines();
    }

private:
    settings settings_for(double rate) const {
        settings s;
        s.hosts = 2;
        s.rate = rate;
        s.data = "/data";
        s.seed = 7;
        s.in_flight_limit = 4;
        s.lag_period = 1h;
        return s;
    }

    coro<int> live(rondo::duration length, bool crashes, double rate) {
        ++number_;
        const auto it = std::make_shared<instance>("life-" + std::to_string(number_));
        current_ = it;
        it->disk.die_at(std::exchange(change_, 0));
        const std::uint64_t first_new = before_.messages.next_sequence();
        std::map<std::string, std::uint64_t> restarts;
        std::uint64_t published = 0;
        int code = 1;
        try {
            const settings s = settings_for(rate);
            data_directory data(s.data, it->disk);
            journal_image image = read_journal(data.journal(), it->disk);
            it->input.emplace(checked_input{.settings = s,
                                            .data = std::move(data),
                                            .journal = std::move(image),
                                            .program = "/usr/bin/mayhem",
                                            .disk = &it->disk,
                                            .real_time = rondo::clock::now,
                                            .next_id = [this] { return fmt::format("id-{:04}", ++ids_); }});
            it->service.emplace(*it->input, it->out, it->to);
        } catch (const bad_input& e) {
            if ((!trouble_.storage && !trouble_.resources && !it->disk.is_dead()) ||
                std::string(e.what()).find("damaged") != std::string::npos)
                throw;
        } catch (const std::system_error&) {
            if (!trouble_.storage && !trouble_.resources && !it->disk.is_dead()) throw;
        }
        if (it->service) {
            auto life = rondo::create_task({.name = "mayhem"}, live_through, it);
            const rondo::time_point end = rondo::clock::now() + length;
            const rondo::duration step = it->disk.may_die() ? 50ms : length;
            while (!life.done() && !it->disk.is_dead() && rondo::clock::now() < end)
                co_await rondo::wait({life}, {.timeout = step});
            const bool by_power = it->disk.is_dead() || (crashes && !life.done());
            if (by_power) {
                published = it->service->books_now().broker.published;
                count_restarts(*it->service, restarts);
                it->disk.die();
                life.cancel();
            } else if (!life.done()) {
                world().raise(SIGTERM);
            }
            const rondo::result<int> ended = co_await rondo::as_result(life);
            if (!by_power) {
                code = ended ? *ended : 1;
                published = it->service->books_now().broker.published;
                count_restarts(*it->service, restarts);
                if (code == 0) EXPECT_TRUE(it->service->books_now().sums.holds()) << last_lines();
                if (!trouble_.storage && !trouble_.resources) {
                    EXPECT_TRUE(code == 0 || it->out.has("cannot start")) << last_lines();
                }
            }
            it->service.reset();
        }
        it->input.reset();
        judge(first_new + published, restarts);
        co_return code;
    }

    std::string last_lines() const { return current_->out.last(); }

    static void count_restarts(const service& of, std::map<std::string, std::uint64_t>& to) {
        for (const host_status& h : of.books_now().hosts) to[h.name] = h.restarts;
    }

    /// `next`: the number of the first request that nobody was told is durable.
    void judge(std::uint64_t next, const std::map<std::string, std::uint64_t>& restarts) {
        world().set_faults(fault_classes::none());
        const evidence now = look(number_);
        EXPECT_GE(now.messages.next_sequence(), next) << "a request that was published is lost" << last_lines();
        std::set<std::uint64_t> done;
        for (const auto& [id, f] : now.finished)
            EXPECT_TRUE(done.insert(f.sequence).second) << "two requests have one number" << last_lines();
        for (std::uint64_t n = 1; n < now.messages.next_sequence(); ++n) {
            EXPECT_TRUE(now.messages.find(n) || done.contains(n)) << "request " << n << " is lost" << last_lines();
        }
        // A restart is written down, or its request is still there: more restarts than both are requests that were served twice.
        std::map<std::string, std::uint64_t> accounted;
        for (const auto& [id, f] : now.finished) {
            if (f.restarted && !before_.finished.contains(id)) ++accounted[f.host];
        }
        for (const auto& [n, m] : now.messages.messages()) {
            const std::string id = nlohmann::json::parse(m.payload).at("id");
            if (!now.finished.contains(id)) ++accounted[nlohmann::json::parse(m.payload).at("host")];
        }
        for (const auto& [host, times] : restarts) {
            EXPECT_LE(times, accounted[host]) << host << " was restarted too often" << last_lines();
        }
        for (const auto& [id, f] : before_.finished) {
            EXPECT_TRUE(now.finished.contains(id)) << "the record of " << id << " is lost" << last_lines();
        }
        before_ = now;
        world().set_faults(trouble_);
    }

    fault_classes trouble_;
    int number_ = 0;
    unsigned ids_ = 0;
    unsigned change_ = 0;
    evidence before_;
    std::shared_ptr<instance> current_;
};

rondo::duration some_time() {
    constexpr std::array<rondo::duration, 7> times{700ms, 1ms, 200ms, 400ms, 1s, 1500ms, 3s};
    return times[rondo::sim::choose(times.size(), "how long it lives")];
}

/// RONDO_MAYHEM_SCHEDULES: how many of each test.
std::size_t how_many(std::size_t usually) {
    const char* const text = std::getenv("RONDO_MAYHEM_SCHEDULES");
    return text ? static_cast<std::size_t>(std::strtoull(text, nullptr, 10)) : usually;
}

} // namespace

RONDO_SIM_TEST(MayhemInWorlds, EndsWellAndBalancesInAnyOrderOfThings, {.schedules = how_many(100)}) {
    chronicle lives({});
    co_await lives.end_in_order(some_time());
    co_await lives.end_in_order(some_time());
    co_await lives.recover();
}

RONDO_SIM_TEST(MayhemInWorlds, LosesNothingWhereverThePowerGoes, {.schedules = how_many(200)}) {
    chronicle lives({});
    co_await lives.crash_at(1 + rondo::sim::choose(120, "at which change of a file the power goes"));
    co_await lives.crash_at(1 + rondo::sim::choose(60, "at which change of a file the power goes"));
    co_await lives.recover();
}

RONDO_SIM_TEST(MayhemInWorlds, LosesNothingWithoutPower, {.schedules = how_many(200)}) {
    chronicle lives({});
    co_await lives.crash(some_time());
    co_await lives.crash(some_time());
    co_await lives.recover();
}

constexpr fault_classes bad_disk{.storage = true};

RONDO_SIM_TEST(MayhemInWorlds, LosesNothingOnADiskThatFails, {.schedules = how_many(250), .faults = bad_disk}) {
    chronicle lives(bad_disk);
    co_await lives.end_in_order(some_time());
    co_await lives.crash(some_time());
    co_await lives.recover();
}

constexpr fault_classes bad_machine{.network = true, .resources = true};

RONDO_SIM_TEST(MayhemInWorlds, LosesNothingWhenHostsAndConnectionsFail,
               {.schedules = how_many(250), .faults = bad_machine}) {
    chronicle lives(bad_machine);
    co_await lives.crash(some_time());
    co_await lives.crash(some_time());
    co_await lives.recover();
}

} // namespace mayhem

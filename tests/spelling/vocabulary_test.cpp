// Section 0: time, bytes, exceptions, awaitables, result, context, handles.
#include "spelling/spelled.hpp"

#include <array>

namespace rondo::spelling::of_vocabulary {

static_assert(std::same_as<duration, std::chrono::nanoseconds>);
static_assert(std::same_as<clock::duration, duration> && std::same_as<clock::rep, duration::rep> &&
              std::same_as<clock::period, duration::period>);
static_assert(std::same_as<time_point, std::chrono::time_point<std::chrono::steady_clock, duration>>);
static_assert(clock::is_steady);
static_assert(std::same_as<deadline, std::optional<time_point>>);

void time() {
    GIVES(time_point, clock::now());
    static_assert(noexcept(clock::now()));
    const delay half = 0.5s;
    const delay some = 10ms;
    constexpr delay none = no_timeout;
    constexpr delay nothing = std::nullopt;
    static_assert(none.is_none() && nothing.is_none());
    GIVES(duration, half.value());
    GIVES(bool, some.is_none());
    static_cast<void>(clock::now() < std::chrono::steady_clock::now());
}

void byte_strings(const std::string& text, std::string_view view, std::vector<char> chars, std::vector<std::byte> raw,
                  std::span<const char> span, std::span<std::byte, 3> three) {
    for (const bytes_view v : {bytes_view(), bytes_view("literal"), bytes_view(view), bytes_view(text),
                               bytes_view(chars), bytes_view(raw), bytes_view(span), bytes_view(three)}) {
        GIVES(const std::byte*, v.data());
        GIVES(std::size_t, v.size());
        GIVES(bool, v.empty());
        GIVES(std::string_view, v.view());
        const std::span<const std::byte> as_span = v;
        static_cast<void>(as_span);
    }
    bytes empty;
    bytes copy(bytes_view("x"));
    bytes filled(3, 'x');
    const bytes& fixed = copy;
    GIVES(std::byte*, copy.data());
    GIVES(const std::byte*, fixed.data());
    GIVES(std::size_t, copy.size());
    GIVES(bool, copy.empty());
    GIVES(std::string_view, copy.view());
    GIVES(std::string, copy.str());
    const bytes_view borrowed = copy;
    GIVES(bytes&, copy += borrowed);
    copy += "more";
    static_cast<void>(copy == empty && copy == view && copy == "x" && copy != filled);
}

static_assert(!std::derived_from<base_exception, std::exception>);
static_assert(std::derived_from<cancelled_error, base_exception> &&
              std::derived_from<keyboard_interrupt, base_exception> &&
              std::derived_from<generator_exit, base_exception> && std::derived_from<system_exit, base_exception>);
static_assert(std::derived_from<rondo::runtime_error, std::runtime_error> &&
              std::derived_from<value_error, std::invalid_argument> &&
              std::derived_from<type_error, std::logic_error> && std::derived_from<lookup_error, std::out_of_range> &&
              std::derived_from<invalid_state_error, std::logic_error>);
static_assert(std::derived_from<timeout_error, std::system_error> &&
              std::derived_from<connection_error, std::system_error> &&
              std::derived_from<connection_reset_error, connection_error> &&
              std::derived_from<connection_aborted_error, connection_error> &&
              std::derived_from<connection_refused_error, connection_error> &&
              std::derived_from<broken_pipe_error, connection_error> &&
              std::derived_from<process_lookup_error, std::system_error>);
static_assert(std::derived_from<incomplete_read_error, std::runtime_error> &&
              std::derived_from<limit_overrun_error, std::runtime_error> &&
              std::derived_from<sendfile_not_available_error, rondo::runtime_error> &&
              std::derived_from<broken_barrier_error, rondo::runtime_error> &&
              std::derived_from<queue_empty, std::runtime_error> && std::derived_from<queue_full, std::runtime_error> &&
              std::derived_from<queue_shut_down, std::runtime_error> &&
              std::derived_from<end_of_channel, std::runtime_error> &&
              std::derived_from<broken_channel, std::runtime_error> &&
              std::derived_from<closed_channel, std::runtime_error> &&
              std::derived_from<would_block, std::runtime_error>);

template <std::derived_from<std::exception>... E> void use(const E&... errors) {
    (static_cast<void>(errors.what()), ...);
}

void exceptions() {
    base_exception base;
    base = base_exception("message");
    GIVES(const char*, base.what());
    const cancelled_error cancelled("why");
    GIVES(const std::string&, cancelled.message());
    static_cast<void>(cancelled_error());
    static_cast<void>(keyboard_interrupt());
    static_cast<void>(keyboard_interrupt("x"));
    static_cast<void>(generator_exit());
    GIVES(int, system_exit().code());
    GIVES(int, system_exit(3).code());
    use(rondo::runtime_error("x"), value_error("x"), type_error("x"), lookup_error("x"), invalid_state_error("x"),
        timeout_error(), timeout_error("x"), connection_error(std::make_error_code(std::errc::io_error), "x"),
        connection_reset_error(std::make_error_code(std::errc::connection_reset)),
        connection_aborted_error(std::make_error_code(std::errc::connection_aborted), "x"),
        connection_refused_error(std::make_error_code(std::errc::connection_refused), "x"),
        broken_pipe_error(std::make_error_code(std::errc::broken_pipe), "x"),
        process_lookup_error(std::make_error_code(std::errc::no_such_process), "x"), sendfile_not_available_error("x"),
        broken_barrier_error("x"), queue_empty(), queue_full(), queue_shut_down(), end_of_channel(), broken_channel(),
        closed_channel(), would_block());
    const incomplete_read_error early(bytes(bytes_view("part")), 7);
    static_cast<void>(incomplete_read_error(bytes(), std::nullopt));
    GIVES(const bytes&, early.partial());
    GIVES(std::optional<std::size_t>, early.expected());
    const limit_overrun_error over("too long", 3);
    GIVES(std::size_t, over.consumed());
    GIVES(std::exception_ptr, cause_of(std::make_exception_ptr(early)));
}

void groups(std::exception_ptr error) {
    exception_group group("message", {error, error});
    static_assert(std::derived_from<exception_group, std::exception>);
    GIVES(const std::string&, group.message());
    GIVES(const std::vector<std::exception_ptr>&, group.exceptions());
    GIVES(std::size_t, group.size());
    GIVES(bool, group.has_base());
    GIVES(bool, group.contains<value_error>());
    GIVES(std::optional<exception_group>, group.subgroup<value_error>());
    using halves = std::pair<std::optional<exception_group>, std::optional<exception_group>>;
    GIVES(halves, group.split<value_error>());
    GIVES(std::optional<exception_group>, group.subgroup([](const std::exception_ptr& e) { return e != nullptr; }));
    GIVES(std::string, group.tree());
    GIVES(const char*, group.what());
    except_star(error)
        .on<value_error>([](const exception_group& part) { static_cast<void>(part.size()); })
        .on<type_error>([](const auto&) {})
        .rethrow_rest();
    except_star(group).rethrow_rest();
}

static_assert(awaitable<coro<int>> && !awaitable<int> && awaitable<future<int>&> && awaitable<task<>>);
static_assert(awaitable_of<coro<int>, long> && !awaitable_of<coro<std::string>, int>);
static_assert(is_coro_v<coro<>> && is_coro_v<const coro<int>&> && !is_coro_v<task<int>>);
static_assert(std::same_as<await_result_t<coro<int>>, int> && std::same_as<await_result_t<task<int>&>, int>);
static_assert(std::same_as<non_void_t<void>, std::monostate> && std::same_as<non_void_t<int>, int>);
static_assert(std::same_as<started_t<coro<int> (*)(long), int>, int>);
static_assert(std::same_as<called_t<int (*)(long), int>, int>);
static_assert(std::same_as<body_t<coro<int> (*)(task_group&), task_group>, int>);
static_assert(std::same_as<body_t<coro<int> (*)(), task_group>, int>);

coro<> results(coro<int> number, coro<> nothing, std::exception_ptr error) {
    static_assert(std::same_as<await_result_t<decltype(as_result(std::move(number)))>, result<int>>);
    auto r = co_await as_result(std::move(number));
    static_assert(std::same_as<decltype(r), result<int>>);
    const auto& fixed = r;
    GIVES(bool, r.has_value());
    if (r) static_cast<void>(0);
    GIVES(bool, r.cancelled());
    GIVES(std::exception_ptr, r.error());
    GIVES(bool, r.holds<value_error>());
    GIVES(int&, r.value());
    GIVES(const int&, fixed.value());
    GIVES(int&&, std::move(r).value());
    GIVES(int&, *r);
    GIVES(const int&, *fixed);
    GIVES(int, fixed.value_or(3));
    GIVES(int, std::move(r).value_or(3));
    result<std::string> text(std::string("x"));
    GIVES(std::size_t, text->size());
    const std::string lvalue;
    result<std::string> copied(lvalue);
    result<std::string> failed(error);
    result<std::unique_ptr<int>> moved(std::make_unique<int>(1));
    auto v = co_await as_result(std::move(nothing));
    static_assert(std::same_as<decltype(v), result<void>>);
    GIVES(bool, v.has_value());
    if (v) static_cast<void>(0);
    GIVES(bool, v.cancelled());
    GIVES(bool, v.holds<timeout_error>());
    GIVES(void, v.value());
    static_cast<void>(result<void>());
    static_cast<void>(result<void>(error).error());
}

void contexts() {
    context c;
    GIVES(int, c.run([](int a, int b) { return a + b; }, 1, 2));
    GIVES(context, copy_context());
    GIVES(bool, c == copy_context());
    const call_options options{.context = c};
    static_assert(std::same_as<decltype(options.where), std::source_location>);
    static_cast<void>(call_options());
}

coro<> handles(future<int> f, task<int> t) {
    future_base any = f;
    any_future other = t;
    static_assert(std::same_as<any_future, future_base>);
    if (any) static_cast<void>(0);
    GIVES(bool, any.done());
    GIVES(bool, any.cancelled());
    GIVES(bool, any.cancel());
    GIVES(bool, any.cancel("why"));
    GIVES(std::exception_ptr, any.exception());
    GIVES(event_loop&, any.loop());
    GIVES(std::uint64_t, any.id());
    GIVES(callback_id, any.add_done_callback([] {}));
    GIVES(callback_id, any.add_done_callback([](const future_base&) {}, {.context = copy_context()}));
    GIVES(bool, any.remove_done_callback(callback_id{1}));
    GIVES(future<int>, any.as_future<int>());
    GIVES(task<int>, other.as_task<int>());
    AWAITS(void, any);
    static_cast<void>(any == other || any < other);
    static_cast<void>(std::hash<future_base>()(any) + std::hash<task_base>()(t) + std::hash<task<int>>()(t) +
                      std::hash<future<int>>()(f));
    static_assert(future_like<future<int>&> && future_like<const task<>&> && future_like<any_task> &&
                  !future_like<coro<>>);
}

TEST(Spelling, Vocabulary) {
    time();
    std::array<std::byte, 3> three{};
    byte_strings("text", "view", {'a'}, {std::byte{1}}, {}, three);
    exceptions();
    EXPECT_TRUE((result<int>(3).value_or(4)) == 3);
    EXPECT_THROW(groups(std::make_exception_ptr(rondo::runtime_error("left"))), rondo::runtime_error);
}

} // namespace rondo::spelling::of_vocabulary

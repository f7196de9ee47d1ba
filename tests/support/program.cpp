#include "support/program.hpp"

#include <rondo/io/stream_reader.hpp>
#include <rondo/io/subprocess_exec.hpp>
#include <rondo/task/create_task.hpp>
#include <rondo/task/run.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <unistd.h>

namespace rondo::test {

namespace {

bool has(const std::string& line, std::string_view text) { return line.find(text) != std::string::npos; }

std::string quoted(const std::string& word) {
    std::string text = "'";
    for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return text + "'";
}

} // namespace

std::string finished::text() const {
    std::string all;
    for (const std::string& line : out) all += line + '\n';
    return all;
}

std::size_t finished::find(std::string_view text, std::size_t from) const {
    while (from < out.size() && !has(out[from], text)) ++from;
    return std::min(from, out.size());
}

coro<std::unique_ptr<program>> program::start(std::string path, arguments words, environment more) {
    for (char** variable = environ; *variable; ++variable) {
        const std::string_view text = *variable;
        const std::size_t end_of_name = text.find('=');
        more.emplace(text.substr(0, end_of_name), text.substr(end_of_name + 1));
    }
    words.insert(words.begin(), std::move(path));
    process started = co_await create_subprocess_exec(
        std::move(words), {.in = stdio::devnull, .out = stdio::pipe, .err = stdio::pipe, .env = std::move(more)});
    std::unique_ptr<program> p(new program(std::move(started)));
    p->collecting_.push_back(create_task(p->collect(&*p->process_.out, &p->result_.out)));
    p->collecting_.push_back(create_task(p->collect(&*p->process_.err, &p->result_.err)));
    co_return p;
}

coro<> program::collect(stream_reader* from, std::vector<std::string>* into) {
    while (auto line = co_await from->read_line()) {
        std::string text = line->str();
        while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
        const auto hold = co_await changed_.scoped_lock();
        into->push_back(std::move(text));
        changed_.notify_all();
    }
    const auto hold = co_await changed_.scoped_lock();
    ++ended_;
    changed_.notify_all();
}

coro<std::string> program::until(const std::vector<std::string>* lines, std::string text) {
    const auto hold = co_await changed_.scoped_lock();
    const auto found = [&] {
        return std::find_if(lines->begin(), lines->end(), [&](const std::string& l) { return has(l, text); });
    };
    co_await changed_.wait_for([&] { return found() != lines->end() || ended_ == 2; });
    if (found() == lines->end()) throw std::runtime_error("the program ended without the words '" + text + "'");
    co_return *found();
}

coro<finished> program::finish() {
    for (task<>& t : collecting_) co_await t;
    result_.code = co_await process_.wait();
    co_return result_;
}

finished run_program(const std::string& path, program::arguments words, program::environment more) {
    return rondo::run([&]() -> coro<finished> {
        const auto p = co_await program::start(path, words, more);
        co_return co_await p->finish();
    });
}

finished run_on_terminal(const std::string& path, const program::arguments& words) {
    std::string command = quoted(path);
    for (const std::string& word : words) command += ' ' + quoted(word);
    return run_program("/usr/bin/script", {"-qec", command, "/dev/null"});
}

} // namespace rondo::test

#include "task/call_graph_text.hpp"

#include <rondo/task/detail/task_record.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <utility>
#include <vector>

namespace rondo::detail {

namespace {

constexpr std::size_t deepest_indent = 32; // the text of a chain would grow with the square of its length
constexpr std::string_view openers = "(<[{";
constexpr std::string_view closers = ")>]}";

/// Where the bracket that ends at `close` begins; npos when none does. An arrow is no bracket.
std::size_t opening_of(std::string_view text, std::size_t close) noexcept {
    std::size_t depth = 0;
    for (std::size_t i = close + 1; i-- > 0;) {
        const bool arrow = text[i] == '>' && i > 0 && text[i - 1] == '-';
        if (closers.find(text[i]) != std::string_view::npos && !arrow) ++depth;
        if (openers.find(text[i]) != std::string_view::npos && --depth == 0) return i;
    }
    return std::string_view::npos;
}

std::string hexadecimal(std::uint64_t number) {
    char text[20];
    std::snprintf(text, sizeof text, "%#llx", static_cast<unsigned long long>(number));
    return text;
}

void render_one(const future_call_graph& node, std::size_t level, std::string& into) {
    const std::string indent(4 * std::min(level, deepest_indent), ' ');
    future_state& f = *node.future.state();
    into += indent + "* ";
    if (f.is_task()) into += "Task(name=" + quoted(static_cast<task_record&>(f).name()) + ", id=" + hexadecimal(f.id());
    else into += "Future(id=" + hexadecimal(f.id());
    into += ")";
    if (level > deepest_indent) into += " (level " + std::to_string(level) + ")";
    into += node.repeated ? " (see above)\n" : "\n";
    if (!node.call_stack.empty()) into += indent + "  + Call stack:\n";
    for (const stack_entry& frame : node.call_stack) {
        into += indent + "  |   File " + quoted(frame.where.file_name()) + ", line " +
                std::to_string(frame.where.line()) + ", in async ";
        into += qualified_name(frame.function);
        into += "()\n";
    }
    if (!node.awaited_by.empty()) into += indent + "  + Awaited by:\n";
}

} // namespace

std::string_view qualified_name(std::string_view pretty) noexcept {
    std::string_view name = pretty;
    if (name.ends_with(']'))
        name = name.substr(0, std::min(name.size(), opening_of(name, name.size() - 1))); // [T = int]
    const std::size_t close = name.rfind(')');
    if (close == std::string_view::npos) return pretty;
    const std::size_t open = opening_of(name, close);
    if (open == std::string_view::npos || open == 0) return pretty;
    name = name.substr(0, open);
    // Back to the end of the return type: the last space that is in no brackets. "operator bool" has one of its own.
    const std::size_t own = name.rfind("::operator ");
    for (std::size_t i = std::min(own, name.size()); i-- > 0;) {
        if (closers.find(name[i]) != std::string_view::npos) {
            const std::size_t begin = opening_of(name, i);
            if (begin != std::string_view::npos) i = begin;
        } else if (name[i] == ' ') {
            return name.substr(i + 1);
        }
    }
    return name;
}

std::string quoted(std::string_view text) {
    const bool doubled = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
    const char mark = doubled ? '"' : '\'';
    std::string result(1, mark);
    for (const char c : text) {
        char code[8];
        if (c == mark || c == '\\') result += {'\\', c};
        else if (c == '\n') result += "\\n";
        else if (c == '\r') result += "\\r";
        else if (c == '\t') result += "\\t";
        else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            std::snprintf(code, sizeof code, "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
            result += code;
        } else result += c;
    }
    return result + mark;
}

std::string text_of(const future_call_graph& graph) {
    std::string text;
    std::vector<std::pair<const future_call_graph*, std::size_t>> left{{&graph, 0}}; // what comes last first
    while (!left.empty()) {
        const auto [node, level] = left.back();
        left.pop_back();
        render_one(*node, level, text);
        for (std::size_t i = node->awaited_by.size(); i-- > 0;) left.emplace_back(&node->awaited_by[i], level + 1);
    }
    text.pop_back();
    return text;
}

} // namespace rondo::detail

#include <rondo/task/exception_group.hpp>

#include <cassert>

namespace rondo {

struct exception_group::contents {
    std::string message;
    std::vector<std::exception_ptr> errors;
    std::string text;
};

namespace {

const exception_group* as_group(const std::exception_ptr& error) noexcept {
    return detail::exception_cast<exception_group>(error);
}

void print(const std::exception_ptr& error, const std::string& indent, std::string& into) {
    const exception_group* group = as_group(error);
    if (!group) {
        into += detail::describe_exception(error) + "\n";
        if (const std::exception_ptr cause = cause_of(error)) {
            into += indent + "  caused by ";
            print(cause, indent + "  ", into);
        }
        return;
    }
    into += std::string(group->what()) + "\n";
    for (const std::exception_ptr& member : group->exceptions()) {
        into += indent + "  - ";
        print(member, indent + "    ", into);
    }
}

std::optional<exception_group> group_of(const std::string& message, std::vector<std::exception_ptr> errors) {
    if (errors.empty()) return std::nullopt;
    return exception_group(message, std::move(errors));
}

} // namespace

exception_group::exception_group(std::string message, std::vector<std::exception_ptr> errors) {
    if (errors.empty()) throw value_error("an exception_group needs at least one exception");
    const std::string count =
        std::to_string(errors.size()) + (errors.size() == 1 ? " sub-exception)" : " sub-exceptions)");
    std::string text = message + " (" + count;
    contents_ = std::make_shared<const contents>(contents{std::move(message), std::move(errors), std::move(text)});
}

const std::string& exception_group::message() const noexcept { return contents_->message; }
const std::vector<std::exception_ptr>& exception_group::exceptions() const noexcept { return contents_->errors; }
const char* exception_group::what() const noexcept { return contents_->text.c_str(); }

bool exception_group::has_base() const noexcept {
    for (const std::exception_ptr& e : exceptions()) {
        const exception_group* inner = as_group(e);
        if (inner ? inner->has_base() : detail::exception_cast<base_exception>(e) != nullptr) return true;
    }
    return false;
}

bool exception_group::contains(const predicate& pred) const {
    for (const std::exception_ptr& e : exceptions()) {
        if (pred(e)) return true;
        const exception_group* inner = as_group(e);
        if (inner && inner->contains(pred)) return true;
    }
    return false;
}

std::pair<std::optional<exception_group>, std::optional<exception_group>>
exception_group::split(const predicate& pred) const {
    std::vector<std::exception_ptr> matching;
    std::vector<std::exception_ptr> rest;
    for (const std::exception_ptr& e : exceptions()) {
        const exception_group* inner = as_group(e);
        if (pred(e)) {
            matching.push_back(e);
        } else if (!inner) {
            rest.push_back(e);
        } else {
            auto [yes, no] = inner->split(pred);
            if (yes && !no) matching.push_back(e);
            else if (no && !yes) rest.push_back(e);
            else {
                matching.push_back(std::make_exception_ptr(*yes));
                rest.push_back(std::make_exception_ptr(*no));
            }
        }
    }
    return {group_of(message(), std::move(matching)), group_of(message(), std::move(rest))};
}

std::string exception_group::tree() const {
    std::string text = std::string(what()) + "\n";
    for (const std::exception_ptr& member : exceptions()) {
        text += "  - ";
        print(member, "    ", text);
    }
    return text;
}

except_star::except_star(std::exception_ptr error) {
    if (!error) return;
    if (const exception_group* group = as_group(error)) {
        rest_ = *group;
        return;
    }
    naked_ = error;
    rest_ = exception_group("", {std::move(error)});
}
except_star::except_star(const exception_group& group) : rest_(group) {}

except_star::except_star(except_star&& other) noexcept
    : rest_(std::move(other.rest_)),
      naked_(std::move(other.naked_)),
      thrown_(std::move(other.thrown_)),
      finished_(std::exchange(other.finished_, true)) {}

except_star::~except_star() {
    assert((finished_ || std::uncaught_exceptions() > 0 || (!rest_ && thrown_.empty())) &&
           "an except_star was dropped without rethrow_rest()");
}

except_star&& except_star::handle(const exception_group::predicate& pred,
                                  const std::function<void(const exception_group&)>& handler) && {
    if (!rest_) return std::move(*this);
    auto [mine, others] = rest_->split(pred);
    rest_ = std::move(others);
    if (!mine) return std::move(*this);
    try {
        handler(*mine);
    } catch (...) {
        thrown_.push_back(std::current_exception());
    }
    return std::move(*this);
}

void except_star::rethrow_rest() && {
    finished_ = true;
    if (thrown_.empty()) {
        if (!rest_) return;
        if (naked_) std::rethrow_exception(naked_);
        throw exception_group(*rest_);
    }
    if (rest_) thrown_.push_back(naked_ ? naked_ : std::make_exception_ptr(*rest_));
    throw exception_group("", std::move(thrown_));
}

} // namespace rondo

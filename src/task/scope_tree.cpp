#include <rondo/task/detail/scope_tree.hpp>

#include <rondo/coro/invariant.hpp>
#include <rondo/task/detail/task_record.hpp>

#include <utility>

namespace rondo::detail {

scope_node::~scope_node() {
    if (host_) leave(); // its frame is being torn down
    require_invariant(children_ == nullptr && members_ == nullptr, "a scope ends after everything inside it");
}

void scope_node::enter(task_record& host) noexcept {
    host_ = &host;
    attach_to(host.scope);
    host.scope = this;
    if (cancelled_ || shield_) host.scope_changed();
}

void scope_node::leave() noexcept {
    scope_node* const around = parent_;
    detach();
    task_record& host = *std::exchange(host_, nullptr);
    if (host.scope == this) host.scope = around;
    while (scope_node* child = children_) {
        child->detach();
        child->attach_to(around);
        if (cancelled_ || shield_) child->tell_inside();
    }
    if (cancelled_ || shield_) host.scope_changed();
}

void scope_node::attach_to(scope_node* parent) noexcept {
    parent_ = parent;
    if (!parent) return;
    next_sibling_ = parent->children_;
    if (next_sibling_) next_sibling_->previous_sibling_ = this;
    parent->children_ = this;
}

void scope_node::detach() noexcept {
    if (!parent_) return;
    (previous_sibling_ ? previous_sibling_->next_sibling_ : parent_->children_) = next_sibling_;
    if (next_sibling_) next_sibling_->previous_sibling_ = previous_sibling_;
    parent_ = next_sibling_ = previous_sibling_ = nullptr;
}

void scope_node::add(scope_member& member) noexcept {
    member.next = members_;
    member.previous = nullptr;
    if (members_) members_->previous = &member;
    members_ = &member;
    member.task->scope_changed();
}

void scope_node::remove(scope_member& member) noexcept {
    (member.previous ? member.previous->next : members_) = member.next;
    if (member.next) member.next->previous = member.previous;
    member.next = member.previous = nullptr;
}

void scope_node::release_inside() noexcept {
    while (scope_node* child = children_) {
        child->detach();
        child->tell_inside();
    }
    while (scope_member* member = members_) {
        remove(*member);
        if (member->task->scope == this) member->task->scope = nullptr;
        member->task->scope_changed();
    }
}

void scope_node::cancel(std::string reason) noexcept {
    if (cancelled_) return;
    cancelled_ = true;
    reason_ = std::move(reason);
    tell_inside();
}

void scope_node::set_shield(bool on) noexcept {
    if (on == shield_) return;
    shield_ = on;
    tell_inside();
}

// Without recursion: scopes may lie in each other as deep as coroutines do.
void scope_node::tell_inside() noexcept {
    scope_node* at = this;
    at->tell_those_here();
    for (;;) {
        scope_node* next = at == this || !at->shield_ ? at->children_ : nullptr;
        while (!next && at != this) {
            next = at->next_sibling_;
            if (!next) at = at->parent_;
        }
        if (!next) return;
        at = next;
        if (!at->shield_) at->tell_those_here();
    }
}

// A scope that is not its host's innermost one decides nothing for the host alone.
void scope_node::tell_those_here() noexcept {
    if (host_ && host_->scope == this) host_->scope_changed();
    for (scope_member* m = members_; m; m = m->next) {
        if (m->task->scope == this) m->task->scope_changed();
    }
}

bool scope_node::is_cancelled(const scope_node* innermost) noexcept {
    for (const scope_node* s = innermost; s; s = s->parent_) {
        if (s->cancelled_) return true;
        if (s->shield_) return false;
    }
    return false;
}

const scope_node* scope_node::origin_of_cancellation(const scope_node* innermost) noexcept {
    const scope_node* found = nullptr;
    bool behind_shield = false;
    for (const scope_node* s = innermost; s && !(behind_shield && found); s = s->parent_) {
        if (s->cancelled_) found = s;
        behind_shield = behind_shield || s->shield_;
    }
    return found;
}

} // namespace rondo::detail

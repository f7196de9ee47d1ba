#include "sim/shrink.hpp"

#include <algorithm>
#include <utility>

namespace rondo::sim::detail {

namespace {

class shrinking {
public:
    shrinking(std::vector<forced_choice> failing, const still_fails& try_it, std::size_t budget)
        : best_(std::move(failing)), try_(try_it), left_(budget) {}

    std::vector<forced_choice> result() && {
        for (bool better = true; better && left_ > 0;) {
            better = take_away();
            better = make_smaller() || better;
        }
        return std::move(best_);
    }

private:
    static std::size_t weight(const std::vector<forced_choice>& all) noexcept {
        std::size_t sum = 0;
        for (const forced_choice& c : all) sum += c.taken;
        return sum;
    }
    static bool is_smaller(const std::vector<forced_choice>& a, const std::vector<forced_choice>& b) noexcept {
        return a.size() != b.size() ? a.size() < b.size() : weight(a) < weight(b);
    }

    bool accept(const std::vector<forced_choice>& candidate) {
        if (left_ == 0) return false;
        --left_;
        auto made = try_(candidate);
        if (!made || !is_smaller(*made, best_)) return false;
        best_ = *std::move(made);
        return true;
    }

    bool take_away() {
        bool better = false;
        for (std::size_t part = std::max<std::size_t>(best_.size(), 1); part > 0; part /= 2) {
            // From the back: what comes late depends on what came before, not the other way round.
            for (std::size_t end = best_.size(); end > 0 && left_ > 0;) {
                const std::size_t begin = end - std::min(part, end);
                std::vector<forced_choice> candidate = best_;
                candidate.erase(candidate.begin() + static_cast<std::ptrdiff_t>(begin),
                                candidate.begin() + static_cast<std::ptrdiff_t>(end));
                const bool accepted = accept(candidate);
                better = better || accepted;
                end = accepted ? std::min(begin, best_.size()) : begin;
            }
        }
        return better;
    }

    bool make_smaller() {
        bool better = false;
        for (std::size_t i = 0; i < best_.size(); ++i) {
            for (std::uint32_t to = 1; i < best_.size() && to < best_[i].taken;) {
                std::vector<forced_choice> candidate = best_;
                candidate[i].taken = to;
                if (accept(candidate)) {
                    better = true;
                    break;
                }
                to = (to + best_[i].taken + 1) / 2; // 1, then by halves
                if (left_ == 0) return better;
            }
        }
        return better;
    }

    std::vector<forced_choice> best_;
    const still_fails& try_;
    std::size_t left_;
};

} // namespace

std::vector<forced_choice> shrink(std::vector<forced_choice> failing, const still_fails& try_it, std::size_t budget) {
    return shrinking(std::move(failing), try_it, budget).result();
}

} // namespace rondo::sim::detail

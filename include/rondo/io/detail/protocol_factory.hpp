// What makes protocols: the user's callable, its type erased.
#pragma once

#include <rondo/io/endpoint.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace rondo::detail {

template <class Base> class protocol_factory {
public:
    protocol_factory() = default;
    protocol_factory(const protocol_factory&) = delete;
    protocol_factory& operator=(const protocol_factory&) = delete;
    virtual ~protocol_factory() = default;
    virtual std::shared_ptr<Base> make() = 0;
};

template <class Base, class F> std::unique_ptr<protocol_factory<Base>> erase_factory(F factory) {
    struct of final : protocol_factory<Base> {
        explicit of(F&& f) : make_one(std::move(f)) {}
        std::shared_ptr<Base> make() override { return make_one(); }
        F make_one;
    };
    return std::make_unique<of>(std::move(factory));
}

/// Gives the protocol back the type that its factory has.
template <class F, class Base, class Transport>
endpoint<factory_protocol_t<F>, Transport> typed_endpoint(endpoint<Base, Transport> made) {
    return {std::move(made.transport), std::static_pointer_cast<factory_protocol_t<F>>(std::move(made.protocol))};
}

} // namespace rondo::detail

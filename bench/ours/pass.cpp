// A pass of the loop with one ready callback, and one callback of many in a pass.

#include "support/in_rondo.hpp"

namespace {

using bench::meter;

struct again {
    rondo::event_loop& loop;
    std::uint64_t& left;
    void operator()() const {
        if (--left) loop.call_soon(*this);
        else loop.stop();
    }
};

void one_callback(meter& m) {
    rondo::event_loop loop;
    std::uint64_t left = m.n;
    loop.call_soon(again{loop, left});
    m.start();
    loop.run_forever();
    m.stop();
    loop.close();
}

void thousand_callbacks(meter& m) {
    rondo::event_loop loop;
    std::uint64_t left = m.n += 1000;
    for (int i = 0; i < 1000; ++i) {
        loop.call_soon(again{loop, left});
    }
    m.start();
    loop.run_forever();
    m.stop();
    loop.close();
}

} // namespace

int main(int argc, char** argv) {
    return bench::measure(argc, argv, {{"pass", one_callback}, {"pass/thousand", thousand_callbacks}});
}

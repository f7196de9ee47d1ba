module rondo/bench

go 1.19

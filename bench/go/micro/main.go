// The cases of bench/ours that Go has: micro CASE [SECONDS]. Run with GOMAXPROCS=1: one core, as everybody.
package main

import (
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

type meter struct {
	n     int
	cpu   int64
	began int64
	value float64
}

func cpu() int64 {
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func (m *meter) start() { m.began = cpu() }
func (m *meter) stop()  { m.cpu += cpu() - m.began }

func yieldThousand(m *meter) {
	var done sync.WaitGroup
	done.Add(1000)
	m.n += 1000 - m.n%1000
	m.start()
	for i := 0; i < 1000; i++ {
		go func() {
			for k := 0; k < m.n/1000; k++ {
				runtime.Gosched()
			}
			done.Done()
		}()
	}
	done.Wait()
	m.stop()
}

func spawnBatches(m *meter) {
	var done sync.WaitGroup
	m.n += 1000 - m.n%1000
	m.start()
	for i := 0; i < m.n; i += 1000 {
		done.Add(1000)
		for k := 0; k < 1000; k++ {
			go done.Done()
		}
		done.Wait()
	}
	m.stop()
}

func queueRoundTrip(m *meter) {
	there, back := make(chan int), make(chan int)
	go func() {
		for i := 0; i < m.n; i++ {
			back <- <-there
		}
	}()
	m.start()
	for i := 0; i < m.n; i++ {
		there <- i
		<-back
	}
	m.stop()
}

func spread(n int) []time.Duration {
	source := rand.New(rand.NewSource(1))
	when := make([]time.Duration, n)
	for i := range when {
		when[i] = time.Duration(source.Intn(1e9))
	}
	return when
}

func armAll(when []time.Duration, behind time.Duration, f func()) []*time.Timer {
	timers := make([]*time.Timer, len(when))
	for i, w := range when {
		timers[i] = time.AfterFunc(behind+w, f)
	}
	return timers
}

func timersArm(m *meter) {
	when := spread(m.n)
	m.start()
	armAll(when, 600*time.Second, func() {})
	m.stop()
}

func timersFire(m *meter) {
	var fired sync.WaitGroup
	fired.Add(m.n)
	armAll(spread(m.n), 3*time.Second, fired.Done)
	m.start()
	fired.Wait()
	m.stop()
}

func timersCancel(m *meter) {
	timers := armAll(spread(m.n), 600*time.Second, func() {})
	rand.Shuffle(len(timers), func(i, k int) { timers[i], timers[k] = timers[k], timers[i] })
	m.start()
	for _, t := range timers {
		t.Stop()
	}
	m.stop()
}

func timersRearm(m *meter) {
	const connections = 10000
	timers := armAll(make([]time.Duration, connections), 30*time.Second, func() {})
	m.start()
	for i := 0; i < m.n; i++ {
		timers[(i*7919)%connections].Reset(30*time.Second + time.Duration(i)*time.Microsecond)
	}
	m.stop()
}

func resident() float64 {
	text, _ := os.ReadFile("/proc/self/statm")
	var total, pages int
	fmt.Sscan(string(text), &total, &pages)
	return float64(pages * os.Getpagesize())
}

func sleepers(m *meter) {
	before := resident()
	for i := 0; i < m.n; i++ {
		go time.Sleep(600 * time.Second)
	}
	time.Sleep(time.Second)
	m.value = (resident() - before) / float64(m.n)
}

func subprocess(m *meter) {
	began := time.Now()
	for i := 0; i < m.n; i++ {
		command := exec.Command(os.Getenv("RONDO_BENCH_CHILD"))
		stdin, _ := command.StdinPipe()
		command.Stdout = &discard{}
		command.Stderr = &discard{}
		command.Start()
		stdin.Close()
		command.Wait()
	}
	m.value = float64(time.Since(began).Microseconds()) / float64(m.n)
}

type discard struct{}

func (*discard) Write(p []byte) (int, error) { return len(p), nil }

const million = 1000000

var cases = map[string]struct {
	run   func(*meter)
	fixed int
}{
	"yield":         {yieldThousand, 0},
	"spawn":         {spawnBatches, 0},
	"queue":         {queueRoundTrip, 0},
	"timers/arm":    {timersArm, million},
	"timers/fire":   {timersFire, million},
	"timers/cancel": {timersCancel, million},
	"timers/rearm":  {timersRearm, 3 * million},
	"sleepers":      {sleepers, million},
	"subprocess":    {subprocess, 300},
}

func main() {
	wanted, known := cases[os.Args[1]]
	if !known {
		fmt.Fprintln(os.Stderr, "no case", os.Args[1])
		os.Exit(2)
	}
	seconds := 0.2
	if len(os.Args) > 2 {
		seconds, _ = strconv.ParseFloat(os.Args[2], 64)
	}
	n := wanted.fixed
	if n == 0 {
		for n = 64; ; n *= 8 {
			trial := meter{n: n}
			wanted.run(&trial)
			if float64(trial.cpu) > seconds*1e9/20 {
				n = int(float64(n)*seconds*1e9/float64(trial.cpu)) + 1
				break
			}
		}
	}
	m := meter{n: n}
	wanted.run(&m)
	if m.value == 0 {
		m.value = float64(m.cpu) / float64(m.n)
	}
	fmt.Printf("{\"value\": %.2f, \"operations\": %d}\n", m.value, m.n)
}

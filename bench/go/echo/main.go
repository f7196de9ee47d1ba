// A TCP echo server with a goroutine for each connection: echo PORT.
package main

import (
	"net"
	"os"
)

func serve(c net.Conn) {
	defer c.Close()
	buffer := make([]byte, 65536)
	for {
		n, err := c.Read(buffer)
		if err != nil {
			return
		}
		if _, err = c.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func main() {
	listener, err := net.Listen("tcp4", "127.0.0.1:"+os.Args[1])
	if err != nil {
		panic(err)
	}
	for {
		c, err := listener.Accept()
		if err != nil {
			return
		}
		go serve(c)
	}
}

"""A TCP echo server in asyncio: echo.py asyncio|asyncio-protocol|uvloop|uvloop-protocol PORT."""

import asyncio
import sys


class Echo(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


async def echo(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def serve(kind, port):
    if kind.endswith("protocol"):
        loop = asyncio.get_running_loop()
        server = await loop.create_server(Echo, "127.0.0.1", port, backlog=4096)
    else:
        server = await asyncio.start_server(echo, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


def main():
    kind, port = sys.argv[1], int(sys.argv[2])
    if kind.startswith("uvloop"):
        import uvloop

        uvloop.install()
    asyncio.run(serve(kind, port))


main()

# SPDX-License-Identifier: BSD-2-Clause
"""The wire's end of topology_exhaustion: a program that runs there.

usage: topology_exhaustion_far.py PORT DNS_ADDRESS

Serves tcpsum's clients on PORT (as fast as may be) and PORT + 1 (slowly, so that a connection lasts without
filling the wire), a connection that talks only when told to on PORT + 2, and DNS. Commands come on stdin,
one a line; the answer to each is a line of JSON.

  report       {"flows": {"ADDRESS PORT": bytes}, "sums": [text], "silent": number of names, "heard": [text]};
               flows are the slow ones
  say TEXT     to whoever is connected to PORT + 2: is there anybody?
  hurry        nothing is slow any more
"""
import hashlib
import json
import socket
import struct
import sys
import threading
import time

SLOT_S, SLOT_BYTES = 0.05, 4096
ROOM = 16384  # of a slow connection's buffers: what is on its way is not much
NAME, ANSWER = b"\x06answer\x04test\0", "198.51.100.7"
WORD = (1 << 64) - 1


class State:
    def __init__(self):
        self.flows, self.sums, self.silent, self.heard = {}, [], set(), []
        self.talker = None
        self.is_slow = True


def words(seed=0x1234567):
    """tcpsum's: each 8 bytes follow from the 8 before them."""
    x = seed
    while True:
        x ^= x << 13 & WORD
        x ^= x >> 7
        x ^= x << 17 & WORD
        yield struct.pack("<Q", x)


def wants_end(peer):
    try:
        return peer.recv(1, socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False


def chunks_to(peer):
    source = words()
    while not wants_end(peer):
        data = b"".join(next(source) for _ in range(SLOT_BYTES // 8))
        peer.sendall(data)
        yield data


def chunks_from(peer):
    while data := peer.recv(SLOT_BYTES):
        yield data


def serve(state, peer, who, is_slow):
    header = peer.recv(16, socket.MSG_WAITALL)
    digest, nr_bytes = hashlib.sha256(), 0
    for data in chunks_from(peer) if header[:1] == b"s" else chunks_to(peer):
        digest.update(data)
        nr_bytes += len(data)
        if is_slow:
            state.flows[f"{who[0]} {who[1]}"] = nr_bytes
            time.sleep(SLOT_S if state.is_slow else 0)
    state.sums.append(f"{digest.hexdigest()} {nr_bytes}")
    peer.close()


def talk(state, peer, _who, _is_slow):
    state.talker = peer
    for line in peer.makefile():
        state.heard.append(line.strip())


def listen(state, port, how, is_slow=False):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if is_slow:
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            listener.setsockopt(socket.SOL_SOCKET, option, ROOM)
    listener.bind(("", port))
    listener.listen(16)

    def accept():
        while True:
            peer, who = listener.accept()
            threading.Thread(target=how, args=(state, peer, who, is_slow), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()


def answer_dns(state, address):
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, 53))

    def answer():
        while True:
            query, who = server.recvfrom(1500)
            end = query.index(b"\0", 12) + 5
            if query[12:end - 4] != NAME:
                state.silent.add(query[12:end - 4])
                continue
            has_it = query[end - 4:end - 2] == b"\0\1"
            said = query[:2] + struct.pack(">HHHHH", 0x8180, 1, has_it, 0, 0) + query[12:end]
            if has_it:
                said += struct.pack(">HHHIH", 0xC00C, 1, 1, 60, 4) + socket.inet_aton(ANSWER)
            server.sendto(said, who)
    threading.Thread(target=answer, daemon=True).start()


def obey(state, command, text):
    if command == "say":
        if state.talker:
            state.talker.sendall(text.encode() + b"\n")
        return state.talker is not None
    if command == "hurry":
        state.is_slow = False
        return True
    return {"flows": state.flows, "sums": state.sums, "silent": len(state.silent), "heard": state.heard}


def main():
    state, port = State(), int(sys.argv[1])
    listen(state, port, serve)
    listen(state, port + 1, serve, is_slow=True)
    listen(state, port + 2, talk)
    answer_dns(state, sys.argv[2])
    print("ready", flush=True)
    for line in sys.stdin:
        command, _, text = line.strip().partition(" ")
        print(json.dumps(obey(state, command, text)), flush=True)


if __name__ == "__main__":
    main()

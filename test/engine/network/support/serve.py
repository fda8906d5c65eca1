"""Serves connections until it is killed, and prints a line once it listens.

serve.py text ADDRESS PORT TEXT              answers every connection with TEXT and the client's address
serve.py proxy ADDRESS PORT TO TO_PORT       carries connections to another address
serve.py udp ADDRESS PORT TEXT               answers every datagram with TEXT
"""
import socket
import sys
import threading


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def copy(source, target):
    try:
        while chunk := source.recv(65536):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def answer(connection, peer, arguments):
    if mode == "text":
        connection.sendall(f"{arguments[0]} {peer[0]}\n".encode())
    else:
        there = socket.create_connection((arguments[0], int(arguments[1])), 5)
        back = threading.Thread(target=copy, args=(there, connection), daemon=True)
        back.start()
        copy(connection, there)
        back.join()
    connection.close()


mode, address, port, *rest = sys.argv[1:]
server = socket.socket(family(address), socket.SOCK_DGRAM if mode == "udp" else socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
if ":" in address:
    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
server.bind((address, int(port)))
if mode != "udp":
    server.listen()
print("listening", flush=True)
while True:
    if mode == "udp":
        _, peer = server.recvfrom(65536)
        server.sendto(rest[0].encode(), peer)
    else:
        threading.Thread(target=answer, args=(*server.accept(), rest), daemon=True).start()

import CSandbox
import Glibc
import Testing

@testable import Compiler

/// The exchange with an evaluator that a script plays, well or ill.
@Suite(.serialized) struct BridgeTests {
    private let scratch: Scratch

    init() throws {
        scratch = try Scratch()
        try scratch.write("tree/danubefile.py", "hello")
        try scratch.write("tree/large", [UInt8](repeating: 1, count: Limits.fileBytes))
    }

    /// What scripts begin with: the frames of the protocol, and a greeting that is accepted.
    private static let prelude = """
        #!/usr/bin/python3 -ISB
        import marshal, os, signal, socket, struct, sys, time
        end = socket.socket(fileno=3)
        def raw(data): end.sendall(data)
        def send(kind, payload): raw(struct.pack("<IB", len(payload) + 1, ord(kind)) + payload)
        def dump(kind, value): send(kind, marshal.dumps(value, 2))
        def take(count):
            data = b""
            while len(data) < count:
                piece = end.recv(count - len(data))
                if not piece: sys.exit(9)
                data += piece
            return data
        def receive():
            size, kind = struct.unpack("<IB", take(5))
            return chr(kind), take(size - 1)
        def ask(*request):
            dump("Q", request)
            return marshal.loads(receive()[1])
        def greet(): dump("H", ("3.11.2", (("system calls", True, "a script"),)))

        """

    private struct Played {
        var result: Result<BridgeReport, BridgeError>
        var frames: [(FrameKind, [UInt8])] = []
        var sources: RecordedSource
        var duration = Duration.zero
    }

    private struct Names: ContextProvider {
        func value(_ name: String) -> ContextAnswer {
            switch name {
            case "branch": .value(.string("main"))
            case "event": .value(.object([.init("n", .integer(1 << 40)), .init("a", .array([]))]))
            case "broken": .failed("why")
            default: .unknown
            }
        }
    }

    private func play(
        _ script: String, limits: Limits = Limits(), program: String? = nil,
        consume: BridgeProcess.Consumer? = nil
    ) throws -> Played {
        try scratch.write("bridge", Self.prelude + script, mode: 0o755)
        let source = RecordedSource(try WorkingTree(scratch.path + "/tree"))
        let evaluation = Evaluation(
            file: "danubefile.py", parameters: [("a", "1")], time: 1.5, limits: limits,
            bridge: program ?? scratch.path + "/bridge")
        var frames: [(FrameKind, [UInt8])] = []
        let start = ContinuousClock.now
        let result = Result { () throws(BridgeError) in
            try BridgeProcess.evaluate(evaluation, source: source, context: Names()) {
                kind, payload in
                try consume?(kind, payload)
                frames.append((kind, payload))
            }.report
        }
        return Played(
            result: result, frames: frames, sources: source,
            duration: ContinuousClock.now - start)
    }

    private func failure(_ played: Played) -> BridgeError? {
        guard case .failure(let error) = played.result else { return nil }
        return error
    }

    /// Half a second is what an ill evaluator may cost at most.
    private var short: Limits {
        var limits = Limits()
        limits.wallClock = .milliseconds(500)
        return limits
    }

    @Test func `a whole exchange`() throws {
        let played = try play(
            """
            kind, payload = receive()
            configuration = dict(marshal.loads(payload))
            greet()
            assert kind == "C" and configuration["file"] == "danubefile.py", configuration
            assert configuration["params"] == (("a", "1"),) and configuration["time"] == 1.5
            assert configuration["pipeline"] is None and configuration["memory"] == 512 << 20
            assert ask("read", "danubefile.py") == ("ok", b"hello")
            assert ask("read", "nothing") == ("absent",)
            assert ask("read", "..") == ("error", 13, "outside the repository")
            assert ask("stat", "danubefile.py") == ("ok", "file", 5, False)
            assert ask("stat", "") == ("ok", "dir", 0, False)
            assert ask("list", "") == ("ok", ("danubefile.py", "large"))
            assert len(ask("read", "large")[1]) > 16000000
            assert ask("ctx", "branch") == ("ok", "main")
            assert ask("ctx", "event") == ("ok", ("dict", (("n", ("L", str(1 << 40))), ("a", ()))))
            assert ask("ctx", "nonsense") == ("absent",)
            assert ask("ctx", "broken") == ("error", 5, "why")
            assert ask("stdlib", "json/decoder")[0] == "ok"
            assert ask("stdlib", "../../etc/passwd") == ("absent",)
            assert set(os.environ) <= {"LC_CTYPE"}, os.environ
            dump("P", (0,)); dump("T", ((1, 2),)); dump("G", ()); dump("D", (True,))
            dump("T", ("after the end",))
            time.sleep(60)
            """)
        let report = try played.result.get()
        #expect(report.python == "3.11.2")
        #expect(report.layers.map(\.name) == ["system calls"])
        #expect(played.frames.map(\.0) == [.pathEnd, .tokens, .diagnostics])
        #expect(report.requests == 13)
        #expect(played.duration < .seconds(4))
        #expect(played.sources.reads.count == 7)
    }

    /// Scripts that never come to an end by themselves.
    static let stuck = [
        "time.sleep(60)",
        "greet()\nwhile True: pass",
        "greet()\nos.kill(os.getpid(), signal.SIGSTOP)\ntime.sleep(60)",
        "greet()\nos.kill(0, signal.SIGSTOP)\ntime.sleep(60)",
        "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))\ngreet()\ntime.sleep(60)",
        // Asks and never reads the answers.
        "greet()\nwhile True: dump('Q', ('read', 'large'))",
        // Part of a frame, then nothing.
        "greet()\nraw(b'\\xff\\xff\\0\\0T')\ntime.sleep(60)",
        // A byte from time to time, so that something is always going on.
        "greet()\nraw(b'\\xff\\xff\\0\\0T')\nwhile True: raw(b'x'); time.sleep(0.01)",
        // Descendants hold the channel.
        "greet()\nos.fork()\nos.fork()\ntime.sleep(60)",
        "greet()\nif os.fork(): time.sleep(60)\nos.setsid()\ntime.sleep(60)",
    ]

    @Test(arguments: stuck)
    func `an evaluator that does not end is ended at the deadline`(_ script: String) throws {
        let played = try play("receive()\n" + script, limits: short)
        #expect(failure(played) == .timeout(.milliseconds(500)))
        #expect(played.duration < .milliseconds(1000))
    }

    @Test func `closing the channel does not prolong anything`() throws {
        let played = try play("receive()\ngreet()\nend.close()\ntime.sleep(60)", limits: short)
        #expect(failure(played) == .died(signal: 9, code: -1))
        #expect(played.duration < .milliseconds(1000))
    }

    @Test(arguments: [
        ("sys.exit(3)", BridgeError.died(signal: 0, code: 3)),
        ("greet()\nos._exit(70)", .died(signal: 0, code: 70)),
        // The first process of a namespace ignores its own SIGABRT; abort(3) then faults.
        ("greet()\nos.abort()", .died(signal: 11, code: -1)),
        ("greet()\nimport ctypes\nctypes.string_at(0)", .died(signal: 11, code: -1)),
        (
            "os._exit(127)",
            .noLibPython(
                "\(BridgeLocation.name) could not be loaded; is the Python library installed?")
        ),
        (
            "dump('H', ('', (('python', False, 'no os.py'),)))\nsys.exit(71)",
            .noLibPython("no os.py")
        ),
        (
            "dump('H', ('3.11.2', (('system calls', False, 'old kernel'),)))\nsys.exit(77)",
            .sandboxUnavailable(layer: "system calls", detail: "old kernel")
        ),
        (
            "dump('H', ('3.11.2', ()))",
            .sandboxUnavailable(layer: "system calls", detail: "not reported")
        ),
        ("greet()\nwhile True: dump('T', b'x' * 1000000)", .tooLarge("result", limit: 64 << 20)),
        (
            "greet()\nraw(b'\\x01\\0\\0\\x01T')\ntime.sleep(9)",
            .tooLarge("a frame", limit: 16 << 20)
        ),
        ("dump('T', ())", .violation("no greeting")),
        ("greet()\ngreet()", .violation("a second greeting")),
    ])
    func `an evaluator that fails says how`(_ script: String, _ error: BridgeError) throws {
        let played = try play("receive()\n" + script + "\ntime.sleep(9)")
        #expect(failure(played) == error)
        #expect(played.duration < .seconds(4))
    }

    @Test(arguments: [
        "send('C', b'')", "send('A', b'')", "send('z', b'')", "raw(b'\\0\\0\\0\\0')",
        "send('Q', b'')", "send('Q', b'N')", "dump('Q', ('read',))", "dump('Q', ('write', 'x'))",
        "dump('Q', ('read', b'x'))", "dump('Q', ('read', 'x', 'y'))", "send('H', b'N')",
        "send('Q', b'(\\x02\\0\\0\\0u\\x01\\0\\0\\0\\xffu\\0\\0\\0\\0')",
    ])
    func `what is not the protocol is a violation`(_ script: String) throws {
        let played = try play("receive()\ngreet()\n" + script + "\ntime.sleep(9)")
        guard case .violation? = failure(played) else {
            Issue.record("\(played.result)")
            return
        }
    }

    @Test func `what the consumer throws ends the evaluation`() throws {
        let script = "receive()\ngreet()\ndump('T', ())\ntime.sleep(9)"
        let refused = try play(script) { _, _ in throw MarshalError.badText(at: 3) }
        #expect(failure(refused) == .violation("badText(at: 3)"))
        let own = try play(script) { _, _ in throw BridgeError.tooLarge("steps", limit: 1) }
        #expect(failure(own) == .tooLarge("steps", limit: 1))
    }

    @Test func `a program that is not there is named`() throws {
        let played = try play("", program: "/nonexistent/bridge")
        #expect(failure(played) == .notFound(["/nonexistent/bridge"]))
    }

    @Test func `no process is left behind`() throws {
        let marker = scratch.path + "/alive"
        _ = try play(
            """
            receive()
            greet()
            if os.fork() == 0:
                os.setsid()
                time.sleep(1)
                open("\(marker)", "w")
            time.sleep(60)
            """, limits: short)
        // The child's own second has passed by then, if it still runs.
        var watched = danube_child()
        watched.pidfd = -1
        watched.channel = -1
        _ = danube_wait_ready(&watched, 0, 0, 1200)
        #expect(access(marker, F_OK) != 0)
    }
}

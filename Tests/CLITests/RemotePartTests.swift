import Executor
import Testing

@testable import CLI

@Suite("parts of the remote command line")
struct RemotePartTests {
    private static func events(_ text: String, every size: Int) -> [EventStream.Event] {
        var stream = EventStream()
        var found: [EventStream.Event] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: size) {
            bytes[start..<min(start + size, bytes.count)].withUnsafeBytes { piece in
                stream.take(piece) { event in
                    found.append(event)
                    return true
                }
            }
        }
        return found
    }

    @Test(arguments: 1...9)
    func `events are the same however the stream is cut and its lines end`(size: Int) {
        let lines = [
            ": a comment", "", "id: 7", "data: one", "data:two", "data", "", "event: end",
            "data: é",
            "", "id", "retry: 1", "data:  x", "", "event: lost", "", "data: not ended",
        ]
        for end in ["\n", "\r\n", "\r"] {
            let found = Self.events(lines.joined(separator: end), every: size)
            #expect(
                found == [
                    .init(id: "7", name: "", data: Array("one\ntwo\n".utf8)),
                    .init(id: "7", name: "end", data: Array("é".utf8)),
                    .init(id: "", name: "", data: Array(" x".utf8)),
                ])
        }
    }

    @Test
    func `an event has a bound, which all its lines share`() {
        let line = [UInt8](repeating: 0x78, count: EventStream.mostEventBytes / 2)
        var stream = EventStream()
        for part in [Array("data:".utf8), line, [0x0a], Array("data:".utf8)] {
            part.withUnsafeBytes { stream.take($0) { _ in true } }
            #expect(!stream.isBroken)
        }
        line.withUnsafeBytes { stream.take($0) { _ in true } }
        #expect(stream.isBroken)
    }

    @Test
    func `nothing is read after who receives it had enough`() {
        var stream = EventStream()
        var count = 0
        Array("data: 1\n\ndata: 2\n\n".utf8).withUnsafeBytes { piece in
            stream.take(piece) { _ in
                count += 1
                return false
            }
        }
        #expect(count == 1)
    }

    @Test(arguments: [
        ("1970-01-01T00:00:01Z", 1_000_000), ("1970-01-01t00:00:00.000001z", 1),
        ("1970-01-01T01:00:00.5+01:00", 500_000), ("1969-12-31T23:00:00-01:00", 0),
        ("2026-01-02T03:04:05.1234567Z", 1_767_323_045_123_456),
    ])
    func `times are read as RFC 3339 writes them`(text: String, microseconds: Int64) {
        #expect(Timestamp(rfc3339: text)?.microseconds == microseconds)
    }

    @Test(arguments: [
        "", "2026-01-02", "2026-01-02T03:04:05", "2026-13-02T03:04:05Z", "2026-01-02T24:00:00Z",
        "2026-01-02T03:04:05ZZ", "2026-01-02T03:04:05+1:00", "+026-01-02T03:04:05Z",
        "2026-01-02T03:04:05.Z1", "2026-01-02T03:04:05.99999999999999999999999999Z",
    ])
    func `what is no time is none`(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test
    func `an address is known by its parts, whatever it is called by`() throws {
        let address = try MasterAddress("HTTPS://CI.Example.com:8443/danube/")
        #expect(address.text == "https://ci.example.com:8443/danube")
        #expect(address == (try MasterAddress("https://ci.example.com:8443/danube")))
        #expect(
            address.url(["jobs", "a/b ?"], [("k&", "=é")])
                == "https://ci.example.com:8443/danube/api/v1/jobs/a%2Fb%20%3F?k%26=%3D%C3%A9")
    }

    @Test(arguments: [
        ("http://localhost:1", true), ("http://127.8.9.1", true), ("http://[::1]:80", true),
        ("http://127.0.0.1.example.com", false), ("http://127.0.0.256", false),
        ("http://10.0.0.1", false), ("http://localhost.example.com", false),
        ("http://[::2]", false), ("http://127.1", false),
    ])
    func `what stays on this machine is told from what does not`(text: String, isLoopback: Bool)
        throws
    {
        #expect(try MasterAddress(text).isLoopback == isLoopback)
    }
}

import Glibc
import Testing

@testable import Master

@Suite struct HostileConfigurationTests {
    static let texts: [(String, String)] = [
        (String(repeating: "a", count: 10 << 20), "larger than 1 MiB"),
        (String(repeating: "#", count: 1 << 20) + "\n", "larger than 1 MiB"),
        ("a = " + String(repeating: "[", count: 100_000), "16 deep in each other"),
        ("a = " + String(repeating: "{a=", count: 100_000), "more than 16 parts"),
        ("a = " + String(repeating: "[{a=", count: 100_000), "16 deep in each other"),
        // Trees as deep as that overflow the stack of whoever frees them.
        ("[a" + String(repeating: ".a", count: 500_000) + "]\nx =\n", "more than 16 parts"),
        ("a" + String(repeating: ".a", count: 500_000) + " = 1\nx =\n", "more than 16 parts"),
        ((0..<20_000).map { "[a.k\($0)]\n" }.joined(), "more than 10000 keys"),
        ((0..<20_000).map { "k\($0) = 1\n" }.joined(), "more than 10000 keys"),
        ("data = \"a\u{0}b\"", ":1:10: error: Here is a control character."),
        ("\n\ndata = '/a'\u{0}", ":3:12: error: Here should be the end of the line."),
        ("data = \"/a\\u0000b\"", ":1:11: error: No text may have a NUL."),
        ("data = \"/a\\U00000000b\"", "No text may have a NUL."),
        ("\"a\\u0000\" = 1", "No text may have a NUL."),
        ("[server]\nport=1\n[server]\nport=2\n", "danube.toml:3:"),
        ("data = '/a'\ndata = '/b'", "danube.toml:2:1: error: This is defined already"),
        ("http.listen = 'a:1'\n[http]\n", "2:1: error: This is defined already"),
        ("http = {}\nhttp.listen = 'a:1'", "2:1: error: This is defined already"),
        ("http = {}\n[http.x]", "2:1: error: This is defined already"),
        ("[http.x]\n[http]\nx = 1", "3:1: error: This is defined already"),
        ("[a.b.c]\n[a]\nb.c.d = 1", "3:1: error: This is defined already"),
        ("x = { a = 1, a = 2 }", "1:14: error: This is defined already"),
        ("x = [{ a = 1, a = 2 }]", "1:15: error: This is defined already"),
        ("a = 99999999999999999999\n", "1:5: error: 64 bits do not hold this number."),
        ("d = 0xFFFFFFFFFFFFFFFFFF\n", "danube.toml:1:"),
        ("e = 9999-99-99T99:99:99Z\n", "danube.toml:1:"),
        ("[[http]]\n", "There are no arrays of tables here."),
        ("jobs.limit = 007", "This is no value."), ("jobs.limit = 1__0", "This is no value."),
        ("jobs.limit = _1", "This is no value."), ("jobs.limit = 0x", "This is no value."),
        ("jobs.limit = 0o0b1", "This is no value."), ("jobs.limit = .5", "This is no value."),
        ("jobs.limit = 1_.0", "This is no value."), ("jobs.limit = 1e", "This is no value."),
        ("jobs.limit = -0x1", "This is no value."), ("metrics.open = True", "This is no value."),
        ("data = \"\\ud800\"", "This escape is no character."),
        ("data = \"\\U00110000\"", "This escape is no character."),
        ("data = \"\\u12", "This escape is no character."), ("data = \"\\", "no such escape"),
        ("data = \"/a", "1:8: error: The text does not end."),
        ("data = '''/a\n''", "1:8: error: The text does not end."),
        ("data = \"/a\n\"", "1:8: error: The text does not end."),
        ("data", "After a key comes ="), ("data =", "Here should be a value."),
        ("= 1", "Here should be a key."), ("[http", "ends with ]"), ("[", "Here should be a key."),
        ("[http] x = 1", "Here should be the end of the line."),
        ("data = [1 2", "danube.toml:1:"), ("data = [\"a\" \"b\"]", "stands a comma"),
        ("http = { listen = 'a:1' max_body = 1 }", "danube.toml:1:"),
        ("http = { listen = 'a:1'", "stands a comma"),
        ("a.\"b = 1", "1:3: error: The text does not end."),
        ("data = '/a' # \u{7}\n", "danube.toml:1:"), ("da\u{202E}ta = 1", "After a key comes ="),
        ("data = \"\\q\"", "danube.toml:1:"), ("\rdata = '/a'", "danube.toml:1:"),
        ("data = /a=\"[\"", "Here should be a value."),
    ]

    @Test(arguments: texts.indices)
    func `a hostile text is refused with its place`(index: Int) throws {
        let (text, message) = Self.texts[index]
        let told = try ConfigurationTests.problems(text)
        #expect(told.hasPrefix("danube.toml"), "\(told.prefix(300))")
        #expect(told.contains(message), "\(told.prefix(300))")
        #expect(told.utf8.count < 1 << 16)
    }

    @Test(arguments: [
        ([0x61, 0x0A, 0xFF, 0x0A], "danube.toml:2: error: This line is not UTF-8."),
        ([0xFF, 0xFE, 0x64, 0x00], "danube.toml:1: error: This line is not UTF-8."),
        ([0x3D, 0x22, 0xED, 0xA0, 0x80, 0x22], "danube.toml:1: error: This line is not UTF-8."),
        ([0x3D, 0x22, 0xC0, 0x80, 0x22], "danube.toml:1: error: This line is not UTF-8."),
    ])
    func `bytes that are no UTF-8 are refused`(bytes: [UInt8], message: String) throws {
        #expect(try ConfigurationTests.problems(bytes).hasPrefix(message))
    }

    @Test func `a file of exactly one mebibyte is read`() throws {
        let line = "data = '/a'\n#"
        let text = line + String(repeating: "x", count: (1 << 20) - line.utf8.count)
        #expect(try ConfigurationTests.load(text).data == "/a")
        #expect(try ConfigurationTests.problems(text + "x").contains("larger than 1 MiB"))
    }

    @Test func `nesting at the bound is read`() throws {
        let deep = String(repeating: "[", count: 15) + String(repeating: "]", count: 15)
        #expect(try ConfigurationTests.problems("data = \(deep)").contains("must be a path"))
        let path = Array(repeating: "a", count: 16).joined(separator: ".")
        #expect(try ConfigurationTests.problems("\(path) = 1").contains("There is no key"))
    }

    @Test func `what is no readable file is told, and waits for nobody`() throws {
        let folder = try PrivateFolder()
        func told(_ path: String) -> ConfigurationError? {
            do {
                _ = try MasterConfiguration.load(
                    file: path, environment: ConfigurationTests.home, flags: [])
                return nil
            } catch {
                return error
            }
        }
        let missing = try #require(told(folder.path + "/none"))
        #expect(missing.description.contains("No such file") && missing.status == 2)
        #expect(told(folder.path)?.description.contains("no regular file") == true)
        #expect(told("/dev/zero")?.description.contains("no regular file") == true)
        try #require(mkfifo(folder.path + "/pipe", 0o600) == 0)
        #expect(told(folder.path + "/pipe")?.description.contains("no regular file") == true)
        let long = try #require(told("/" + String(repeating: "x", count: 5000)))
        #expect(long.description.contains("File name too long") && long.status == 3)
    }

    @Test func `whatever a text is made into, there is a configuration or a place`() throws {
        let seed = """
            data = "/a\\"b" # c
            [http]
            listen = 'h:1'
            jobs = { limit = 1, active = 2 }
            repositories.allow = ["/a", \"\"\"/b\"\"\", '''/c''']
            [teams."x.y"]
            weight = 0x10
            at = 1979-05-27 07:32:00
            """
        let signs = Array("[]{}\"'\\=.,#\n\r\tau0-\u{0}é ".utf8)
        var random = Xorshift(state: 42)
        for _ in 0..<4000 {
            var bytes = Array(seed.utf8)
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes.remove(at: at)
                case 1: bytes.insert(signs.randomElement(using: &random) ?? 0, at: at)
                case 2: bytes[at] = signs.randomElement(using: &random) ?? 0
                default:
                    let end = min(bytes.count, at + Int.random(in: 1...20, using: &random))
                    bytes.insert(contentsOf: bytes[at..<end], at: at)
                }
            }
            let lines = bytes.split(separator: 10, omittingEmptySubsequences: false).count
            do {
                let document = try TOMLDocument(bytes)
                for entry in document.entries { #expect((1...lines).contains(entry.line)) }
            } catch {
                #expect((0...lines).contains(error.line))
            }
        }
    }
}

/// The same numbers each time.
struct Xorshift: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}

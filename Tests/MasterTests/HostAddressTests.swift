import Testing

@testable import Master

@Suite struct HostAddressTests {
    private static func six(_ words: UInt16...) -> HostAddress {
        HostAddress(words.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] })
    }

    @Test(
        arguments: [
            [8, 8, 8, 8], [1, 1, 1, 1], [100, 63, 0, 1], [100, 128, 0, 1], [172, 15, 0, 1],
            [172, 32, 0, 1], [192, 167, 0, 1], [198, 17, 0, 1], [223, 255, 255, 1],
        ] as [[UInt8]])
    func `what anybody can reach is public`(bytes: [UInt8]) {
        #expect(HostAddress(bytes).isPublic)
    }

    @Test(
        arguments: [
            [0, 0, 0, 0], [10, 0, 0, 1], [10, 96, 0, 1], [100, 64, 0, 1], [100, 127, 255, 255],
            [127, 0, 0, 1], [127, 9, 9, 9], [169, 254, 169, 254], [172, 16, 0, 1],
            [172, 31, 255, 255], [192, 0, 0, 8], [192, 168, 1, 1], [198, 18, 0, 1],
            [198, 19, 0, 1], [203, 0, 113, 5], [224, 0, 0, 1], [255, 255, 255, 255],
        ] as [[UInt8]])
    func `what is of a machine, a link or a private network is not`(bytes: [UInt8]) {
        #expect(!HostAddress(bytes).isPublic)
        // The same in the forms that hold four bytes in sixteen.
        let zeros = [UInt8](repeating: 0, count: 10)
        #expect(!HostAddress(zeros + [0xff, 0xff] + bytes).isPublic)
        let translated = [0, 0x64, 0xff, 0x9b] + [UInt8](repeating: 0, count: 8) + bytes
        #expect(!HostAddress(translated).isPublic)
        #expect(!HostAddress([0x20, 0x02] + bytes + zeros).isPublic)
    }

    @Test func `addresses of sixteen bytes are judged by their prefix`() {
        #expect(Self.six(0x2606, 0x4700, 0, 0, 0, 0, 0, 1).isPublic)
        #expect(Self.six(0x2a00, 0x1450, 0, 0, 0, 0, 0, 1).isPublic)
        for address in [
            Self.six(0, 0, 0, 0, 0, 0, 0, 1), Self.six(0, 0, 0, 0, 0, 0, 0, 0),
            Self.six(0xfe80, 0, 0, 0, 0, 0, 0, 1), Self.six(0xfc00, 0, 0, 0, 0, 0, 0, 1),
            Self.six(0xfd12, 0, 0, 0, 0, 0, 0, 1), Self.six(0xff02, 0, 0, 0, 0, 0, 0, 1),
            Self.six(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), Self.six(0x2001, 0, 0, 0, 0, 0, 0, 1),
            Self.six(0x100, 0, 0, 0, 0, 0, 0, 1),
        ] {
            #expect(!address.isPublic, "\(address.text)")
        }
    }

    @Test func `one address that is not public refuses the host`() throws {
        let good = HostAddress([8, 8, 8, 8])
        let bad = HostAddress([127, 0, 0, 1])
        #expect(throws: PinnedHost.Problem.notPublic("git.example", address: "127.0.0.1")) {
            try PinnedHost(
                "git.example", port: 443, addresses: [good, bad], allowsPrivate: false)
        }
        #expect(throws: PinnedHost.Problem.unknown("git.example")) {
            try PinnedHost("git.example", port: 443, addresses: [], allowsPrivate: true)
        }
        let pinned = try PinnedHost(
            "git.example", port: 8443, addresses: [good, Self.six(0x2606, 0, 0, 0, 0, 0, 0, 1)],
            allowsPrivate: false)
        #expect(
            pinned.settings == [
                "http.curloptResolve=git.example:8443:8.8.8.8,[2606:0:0:0:0:0:0:1]"
            ])
        #expect(pinned.sshOptions.contains("-oHostName=8.8.8.8 -oHostKeyAlias=git.example"))
    }

    @Test(
        arguments: [
            ("https://git.example/x", 443), ("https://git.example:8443/x", 8443),
            ("ssh://git@git.example:2222/x", 2222), ("ssh://git@git.example/x", 22),
            ("git@git.example:x/y", 22),
        ] as [(String, UInt16)])
    func `an address has its port`(text: String, port: UInt16) throws {
        let allowed = [
            "https://git.example", "https://git.example:8443", "ssh://git@git.example",
            "ssh://git@git.example:2222", "git@git.example:x",
        ]
        #expect(try RepositoryAddress(text, allowed: allowed).port == port)
    }

    @Test func `the resolver's answers are read`() {
        #expect(HostAddress.all(of: "127.0.0.1") == [HostAddress([127, 0, 0, 1])])
        #expect(HostAddress.all(of: "::1") == [Self.six(0, 0, 0, 0, 0, 0, 0, 1)])
        #expect(HostAddress.all(of: "nothing.invalid").isEmpty)
    }
}

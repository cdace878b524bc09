import Glibc
import Testing

@testable import Master

@Suite struct RepositoryAddressTests {
    private static let allowed = [
        "https://git.example", "ssh://git@git.example", "git@git.example:acme", "/srv/git",
    ]

    @Test(arguments: [
        "https://git.example/acme/app.git", "git@git.example:acme/app.git",
        "ssh://git@git.example/acme/app.git",
    ])
    func `an address that is allowed is one`(text: String) throws {
        #expect(try RepositoryAddress(text, allowed: Self.allowed).host == "git.example")
    }

    @Test(arguments: [
        "https://git.example.attacker.example/acme/app.git", "git@git.example:other/app.git",
        "git@git.example:acmes/app.git", "https://git.example:22/x", "https://other.example/x",
    ])
    func `what only begins like it is not allowed`(text: String) {
        #expect(throws: RepositoryAddress.Problem.notAllowed) {
            try RepositoryAddress(text, allowed: Self.allowed)
        }
    }

    @Test func `without a list no address is allowed`() {
        #expect(throws: RepositoryAddress.Problem.notAllowed) {
            try RepositoryAddress("https://git.example/x", allowed: [])
        }
    }

    /// Each is refused whatever is allowed.
    @Test(arguments: [
        "", "ext::sh -c touch% x", "fd::17/foo", "file:///etc", "../../x", "app",
        "--upload-pack=touch x", "-u./x", "ssh://-oProxyCommand=touch%20x/y",
        "ssh://git@-oProxyCommand=id/x", "git@-oProxyCommand=id:x", "git@git.example:-x",
        "http://169.254.169.254/latest/meta-data", "http://[::ffff:169.254.169.254]/x",
        "http://127.0.0.1:8080/x", "https://127.0.0.1/x", "https://2130706433/x",
        "https://0x7f.1/x", "https://127.0x1/x", "https://kubernetes.default.svc/x",
        "https://localhost/x", "https://a.localhost/x",
        "https://git.example@attacker.example/acme/app.git", "https://git.example\\@a.example/x",
        "https://git.example%2eattacker.example/x", "https://user:pw@git.example/x",
        "https://git.example/x\nHost: y", "https://git.example/x#--upload-pack",
        "gopher://127.0.0.1:6379/_x", "dict://x", "https://git.example", "https:///x",
        "https://g\u{456}t.example/x", "https://git.example:0/x", "https://git.example:99999/x",
        "https://git..example/x", "https://-git.example/x",
    ])
    func `what is no address, or one of this machine, is refused`(text: String) {
        #expect(throws: RepositoryAddress.Problem.self) {
            try RepositoryAddress(text, allowed: [text, "https:", "http:", "ssh:", "git@", "/"])
        }
    }

    @Test func `an endless address is refused`() {
        let text = "https://git.example/" + String(repeating: "A", count: 100_000)
        #expect(throws: RepositoryAddress.Problem.malformed) {
            try RepositoryAddress(text, allowed: Self.allowed)
        }
    }

    @Test func `a path is a repository of its owner, or is allowed`() throws {
        let scratch = try DatabaseScratch()
        let repository = scratch.path + "/r"
        for folder in [repository, repository + "/.git"] { mkdir(folder, 0o700) }
        #expect(try RepositoryAddress(repository, allowed: [], owner: geteuid()).host == nil)
        #expect(try RepositoryAddress(repository, allowed: [scratch.path]).host == nil)
        for owner in [nil, geteuid() + 1] {
            #expect(throws: RepositoryAddress.Problem.pathNotAllowed(repository)) {
                try RepositoryAddress(repository, allowed: [repository + "s"], owner: owner)
            }
        }
        #expect(throws: RepositoryAddress.Problem.pathNotAllowed(scratch.path)) {
            try RepositoryAddress(scratch.path, allowed: [], owner: geteuid())
        }
        // A link is what it leads to.
        #expect(symlink(repository, scratch.path + "/link") == 0)
        #expect(throws: RepositoryAddress.Problem.self) {
            try RepositoryAddress(scratch.path + "/link", allowed: [scratch.path + "/link"])
        }
    }
}

@Suite struct GitRefTests {
    @Test(arguments: [
        "main", "v1.0", "refs/pull/1/merge", "feature/\u{e4}", "a-b", "123456", "x.y",
    ])
    func `names of refs`(text: String) { #expect(GitRef(text) == .name(text)) }

    @Test(arguments: [40, 64]) func `full ids`(digits: Int) {
        let id = String(repeating: "2f", count: digits / 2)
        #expect(GitRef(id) == .commit(id))
    }

    @Test(arguments: [
        "", "--upload-pack=id", "-x", "HEAD:refs/heads/main", "+refs/*:refs/*",
        "refs/heads/../../config", "a..b", "a b", "a~1", "a^{/x}", ":/fix", "@{-1}", "@", "x.lock",
        "x.lock/y", "\u{202e}main", "FETCH_HEAD", "HEAD", "a//b", "/a", "a/", ".a", "a/.b", "a.",
        "a\u{7f}", "a\0", "a\\b", "a?", "a[b", "deadbee", "222222222222222222222222222222222222222",
    ])
    func `what means another thing to git, or hides what it is`(text: String) {
        #expect(GitRef(text) == nil)
    }

    @Test func `an endless name`() {
        #expect(GitRef(String(repeating: "z", count: 256)) == nil)
    }
}

import Glibc
import Testing

@testable import Master

@Suite struct ConfigurationDocumentTests {
    /// The folder of the repository.
    static let root = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined()

    @Test func `the page of the server's configuration is that of the schema`() throws {
        let path = Self.root + "/docs/configuration/server.md"
        let text = ConfigurationDocument.markdown()
        if getenv("DANUBE_UPDATE_GOLDENS") != nil {
            let file = try #require(fopen(path, "w"))
            defer { fclose(file) }
            fputs(text, file)
        }
        #expect(
            try String(decoding: PrivateFolder.read(path), as: UTF8.self) == text,
            "DANUBE_UPDATE_GOLDENS=1 writes it again")
    }

    @Test func `the example of the page is a configuration`() throws {
        let parts = ConfigurationDocument.markdown().split(separator: "```")
        let example = try #require(parts.first { $0.hasPrefix("toml\n") }).dropFirst(5)
        let configuration = try ConfigurationTests.load(String(example))
        #expect(configuration.data == "/srv/danube" && configuration.teams.count == 1)
    }

    @Test func `help names every flag with its default`() {
        let help = ConfigurationDocument.help()
        for key in ConfigurationKey.all where !key.isNamed {
            #expect(help.contains("\n  \(key.flag) VALUE\n"))
        }
        #expect(help.contains("default: \"127.0.0.1:8420\""))
        #expect(!help.contains("`"))
    }

    @Test func `what is no key is taken from the arguments`() throws {
        let arguments = try MasterArguments(
            [
                "--check-config", "--http-listen", "--help", "--config=a.toml", "--jobs-limit=2",
                "x",
            ], environment: ["DANUBE_CONFIG": "b.toml"])
        #expect(arguments.action == .checkConfiguration)
        #expect(arguments.file == "a.toml")
        #expect(arguments.flags == ["--http-listen", "--help", "--jobs-limit=2", "x"])
        let plain = try MasterArguments([], environment: ["DANUBE_CONFIG": "b.toml"])
        #expect(plain.action == .serve && plain.file == "b.toml" && plain.flags.isEmpty)
        #expect(try MasterArguments(["-h", "--check-config"], environment: [:]).action == .help)
        #expect(throws: ConfigurationError.self) {
            try MasterArguments(["--config"], environment: [:])
        }
    }
}

import Testing

@testable import Master

@Suite struct CommandWordsTests {
    private static let form = CommandWords.Form(
        switches: ["--force"], options: ["--key"], operands: ["FILE"])

    private func divide(_ words: String...) throws -> CommandWords {
        try CommandWords(words, Self.form, of: "restore")
    }

    @Test func `flags stand in any order, and those of the configuration are left`() throws {
        for words in [
            ["file", "--data", "/x", "--force", "--key=k"],
            ["--key", "k", "--force", "--data", "/x", "file"],
        ] {
            let divided = try CommandWords(words, Self.form, of: "restore")
            #expect(divided.operands == ["file"])
            #expect(divided.switches == ["--force"])
            #expect(divided.options == ["--key": "k"])
            #expect(divided.rest == ["--data", "/x"])
        }
    }

    @Test func `a value may look like anything`() throws {
        let divided = try divide("--config", "--force", "--key", "--data", "-")
        #expect(divided.rest == ["--config", "--force"])
        #expect(divided.options == ["--key": "--data"])
        #expect(divided.operands == ["-"])
        #expect(divided.switches.isEmpty)
    }

    @Test func `what is missing or too much is said`() throws {
        func message(_ words: String...) -> String? {
            do throws(CommandWords.Mistake) {
                _ = try CommandWords(words, Self.form, of: "restore")
                return nil
            } catch {
                return error.message
            }
        }
        #expect(message() == "FILE is missing")
        #expect(message("--key") == "--key has no value")
        #expect(message("a", "b") == "there is nothing that `b` could be")
    }

    @Test func `a command is found by all words of its name`() {
        #expect(MasterCommand.find(["db", "check", "--json"])?.rest == ["--json"])
        #expect(MasterCommand.find(["db"]) == nil)
        #expect(MasterCommand.find(["--data", "backup"]) == nil)
    }
}

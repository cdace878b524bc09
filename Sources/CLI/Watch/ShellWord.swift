/// A word of a command line that a person may copy.
enum ShellWord {
    /// The word, in quotes where a shell would read it otherwise.
    static func quoted(_ word: String) -> String {
        let plain = word.utf8.allSatisfy { byte in
            byte >= 0x30 && byte <= 0x39 || byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a
                || byte == 0x2d || byte == 0x2e || byte == 0x2f || byte == 0x5f || byte == 0x3a
        }
        if plain, !word.isEmpty { return word }
        return "'"
            + word.split(separator: "'", omittingEmptySubsequences: false)
            .joined(separator: "'\\''") + "'"
    }
}

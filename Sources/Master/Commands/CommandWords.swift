/// The words of a command of `danube-master` that does one thing and ends: its own flags, what it
/// is about, and flags of the configuration, in any order.
struct CommandWords: Sendable, Equatable {
    /// What a command takes of its own.
    struct Form: Sendable {
        /// Flags without a value.
        var switches: Set<String> = []
        /// Flags with a value.
        var options: Set<String> = []
        /// What stands for itself, by its names for people.
        var operands: [String] = []
    }

    /// Why words are no command.
    struct Mistake: Error, Equatable, CustomStringConvertible {
        let message: String
        let hint: String

        /// Two lines without a newline at the end.
        var description: String { "danube-master: error: \(message)\n  hint: \(hint)" }
    }

    private(set) var switches: Set<String> = []
    private(set) var options: [String: String] = [:]
    private(set) var operands: [String] = []
    /// For `MasterArguments`.
    private(set) var rest: [String] = []

    /// Divides the words after a command's name.
    init(_ words: [String], _ form: Form, of command: String) throws(Mistake) {
        let help = "See `danube-master \(command) --help`."
        var left = words[...]
        while let word = left.popFirst() {
            let halves = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = halves.first.map(String.init) ?? ""
            if form.switches.contains(word) {
                switches.insert(word)
            } else if form.options.contains(name) {
                guard let value = halves.count == 2 ? String(halves[1]) : left.popFirst() else {
                    throw Mistake(message: "\(name) has no value", hint: help)
                }
                options[name] = value
            } else if word.hasPrefix("-"), word != "-" {
                rest.append(word)
                // The next word is its value, whatever that looks like.
                let takesValue =
                    word == "--config"
                    || ConfigurationKey.all.contains { !$0.isNamed && $0.flag == word }
                if takesValue, let value = left.popFirst() { rest.append(value) }
            } else {
                operands.append(word)
            }
        }
        guard operands.count >= form.operands.count else {
            throw Mistake(message: "\(form.operands[operands.count]) is missing", hint: help)
        }
        guard operands.count == form.operands.count else {
            let word = ShownText.value(operands[form.operands.count])
            throw Mistake(message: "there is nothing that \(word) could be", hint: help)
        }
    }
}

import ArgumentParser
import Compiler
import Glibc

/// `danube secret`.
struct SecretCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secret",
        abstract: "Look after the secrets that a master gives to steps.",
        discussion: "A value goes to the master and never comes back.",
        subcommands: [SecretSetCommand.self, SecretListCommand.self, SecretRemoveCommand.self])
}

/// Which pipelines a secret is for.
struct SecretScope: ExpressibleByArgument {
    /// `global`, `team:NAME` or `pipeline:NAME`.
    let text: String

    init?(argument: String) {
        let isNamed = ["team:", "pipeline:"].contains {
            argument.hasPrefix($0) && argument.count > $0.count
        }
        guard argument == "global" || isNamed else { return nil }
        text = argument
    }

    var defaultValueDescription: String { text }
    static let global = SecretScope(global: ())
    private init(global: Void) { text = "global" }
}

/// Which secret is meant.
struct SecretOptionGroup: ParsableArguments {
    @Argument(help: "The secret.")
    var name: String

    @Option(
        help: ArgumentHelp(
            "Who may use it: global, team:NAME or pipeline:NAME.", valueName: "scope"))
    var scope = SecretScope.global

    @OptionGroup var master: MasterOptions

    func validate() throws {
        guard !name.isEmpty else { throw ValidationError("The secret's name is empty.") }
    }

    func call(_ method: HTTPRequest.Method) -> MasterClient.Call {
        MasterClient.Call(method, "secrets", scope.text, name)
    }
}

/// `danube secret set`.
struct SecretSetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Keep a secret, or replace its value.",
        discussion: """
            The value is read from standard input, on a terminal without showing it. One line end \
            at its end is left out, unless --exact is given.
            """)

    @OptionGroup var secret: SecretOptionGroup

    @Option(
        name: .customLong("branch"),
        help: ArgumentHelp(
            "Branches whose jobs may use it (default: all); may be repeated.", valueName: "glob"))
    var branches: [String] = []

    @Option(
        name: .customLong("event"),
        help: ArgumentHelp(
            "Events whose jobs may use it (default: all); may be repeated.", valueName: "event"))
    var events: [PlanEvent] = []

    @Flag(help: "Keep the line end at the end of the value.")
    var exact = false

    private static let mostBytes = 1 << 20

    func run() throws {
        let client = try secret.master.client()
        var bytes = try HiddenInput.read("Value of \(secret.name): ", limit: Self.mostBytes)
        if !exact, bytes.last == 10 {
            bytes.removeLast()
            if bytes.last == 13 { bytes.removeLast() }
        }
        guard !bytes.isEmpty else {
            throw Failure.mistake(
                "there is no value on standard input",
                hint: "`danube secret set \(secret.name) < FILE`, or type it when asked.")
        }
        guard let value = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            throw Failure.mistake(
                "the value of \(secret.name) is no text: it is not UTF-8, or holds a NUL",
                hint: "Encode it first, as with `base64`.")
        }
        var call = secret.call(.put)
        call.body = .object([
            .init("branches", .array(branches.map(JSONValue.string))),
            .init("events", .array(events.map { .string($0.rawValue) })),
            .init("value", .string(value)),
        ])
        _ = try client.json(call)
        Output.err(
            DisplayText.escaped("danube: note: \(secret.name) is kept for \(secret.scope.text)"))
    }
}

/// `danube secret ls`.
struct SecretListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ls", abstract: "List the names of the secrets.")

    @Option(help: ArgumentHelp("List those of this scope alone.", valueName: "scope"))
    var scope: SecretScope?

    @Flag(help: "Print JSON instead of a table.")
    var json = false

    @OptionGroup var master: MasterOptions
    @OptionGroup var colour: ColourOptions

    func run() throws {
        let client = try master.client()
        let list = try client.json(.init(.get, "secrets"))
        guard let all = list["secrets"]?.elements else {
            throw client.malformed("list of secrets")
        }
        let secrets = all.filter { scope == nil || $0["scope"]?.text == scope?.text }
        if json {
            return Output.out(JSONValue.object([.init("secrets", .array(secrets))]).line)
        }
        if secrets.isEmpty { return Output.err("danube: note: there is no secret") }
        var table = TextTable(["NAME", "SCOPE", "BRANCHES", "EVENTS"])
        for secret in secrets {
            table.add([
                .init(secret["name"]?.text ?? ""), .init(secret["scope"]?.text ?? ""),
                .init(Self.words(secret["branches"])), .init(Self.words(secret["events"])),
            ])
        }
        let terminal = Terminal.of(STDOUT_FILENO, choice: colour.color)
        var buffer = TextBuffer(colour: terminal.colour)
        table.put(into: &buffer, columns: terminal.columns)
        Output.out(terminal.shown(buffer))
    }

    private static func words(_ value: JSONValue?) -> String {
        let words = (value?.elements ?? []).compactMap(\.text)
        return words.isEmpty ? "all" : words.joined(separator: " ")
    }
}

/// `danube secret rm`.
struct SecretRemoveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Forget a secret.")

    @OptionGroup var secret: SecretOptionGroup

    func run() throws {
        _ = try secret.master.client().json(secret.call(.delete))
        Output.err(
            DisplayText.escaped(
                "danube: note: \(secret.name) of \(secret.scope.text) is forgotten"))
    }
}

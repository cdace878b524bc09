internal import PipelineIR

/// One key of the configuration: all that is known of it. `ConfigurationKey.all` has one line for
/// each; reading, printing, help and documents follow from that.
struct ConfigurationKey: Sendable {
    /// When a change is seen.
    enum Reading: Sendable {
        /// Also when the master gets SIGHUP.
        case reloads
        /// Only when it starts.
        case start
    }

    /// With dots (`http.listen`); `teams.*.weight` is a key of each table beneath `teams`.
    let name: String
    /// The form of its values, for documents.
    let form: String
    /// Its default as TOML, or in words where it depends on the machine.
    let defaultText: String
    /// What it is for: one sentence.
    let summary: String
    let reads: Reading
    /// Sets it, in the named table where the key has a `*`.
    let set:
        @Sendable (
            GivenValue, _ table: String, Surroundings, inout MasterConfiguration
        ) throws(ValueMistake) -> Void
    /// Its values as names and TOML: one, or one for each table.
    let written: @Sendable (MasterConfiguration) -> [String: String]
    /// Takes its value over from another configuration.
    let copy: @Sendable (MasterConfiguration, inout MasterConfiguration) -> Void

    var reloads: Bool { reads == .reloads }
    /// Whether it is a key of named tables. Those are of the file only: no variable, no flag.
    var isNamed: Bool { name.contains("*") }
    var parts: [Substring] { name.split(separator: ".") }

    /// `DANUBE_HTTP_LISTEN`.
    var variable: String { "DANUBE_" + joined("_").uppercased() }
    /// `--http-listen`.
    var flag: String { "--" + joined("-").split(separator: "_").joined(separator: "-") }

    private func joined(_ separator: String) -> String { parts.joined(separator: separator) }

    /// A key with one value.
    ///
    /// - Parameter default: its default in words, where it is no constant.
    init<Value>(
        _ name: String, _ form: ValueForm<Value>,
        _ property: any WritableKeyPath<MasterConfiguration, Value> & Sendable, _ reads: Reading,
        default words: String? = nil, _ summary: String
    ) {
        self.name = name
        self.form = form.name
        self.reads = reads
        self.summary = summary
        defaultText = words ?? "`\(form.write(MasterConfiguration()[keyPath: property]))`"
        set = { given, _, surroundings, configuration throws(ValueMistake) in
            configuration[keyPath: property] = try form.read(given, surroundings)
        }
        written = { [name: form.write($0[keyPath: property])] }
        copy = { $1[keyPath: property] = $0[keyPath: property] }
    }

    /// A key of each team.
    init<Value>(
        team name: String, _ form: ValueForm<Value>,
        _ property: any WritableKeyPath<MasterConfiguration.Team, Value> & Sendable,
        _ summary: String
    ) {
        self.name = "teams.*.\(name)"
        self.form = form.name
        self.summary = summary
        reads = .reloads
        defaultText = "`\(form.write(MasterConfiguration.Team()[keyPath: property]))`"
        set = { given, team, surroundings, configuration throws(ValueMistake) in
            try TeamNames.check(team, configuration)
            let value = try form.read(given, surroundings)
            configuration.teams[team, default: .init()][keyPath: property] = value
        }
        written = { configuration in
            var values: [String: String] = [:]
            for (team, entry) in configuration.teams {
                values["teams.\(TeamNames.quoted(team)).\(name)"] =
                    form.write(entry[keyPath: property])
            }
            return values
        }
        copy = { newer, configuration in
            let old = configuration.teams
            configuration.teams = newer.teams.mapValues { _ in MasterConfiguration.Team() }
            for (team, entry) in newer.teams {
                var copied = old[team] ?? .init()
                copied[keyPath: property] = entry[keyPath: property]
                configuration.teams[team] = copied
            }
        }
    }

    /// The key that a path of names means, and the name that its `*` stands for.
    static func find(_ path: [String]) -> (key: ConfigurationKey, table: String)? {
        for key in all {
            let parts = key.parts
            guard parts.count == path.count else { continue }
            var table = ""
            let fits = zip(parts, path).allSatisfy { part, name in
                if part == "*" { table = name }
                return part == "*" || part == name
            }
            if fits { return (key, table) }
        }
        return nil
    }

    /// Whether keys stand beneath a path of names.
    static func isTable(_ path: [String]) -> Bool {
        all.contains { key in
            key.parts.count > path.count
                && zip(key.parts, path).allSatisfy { $0 == "*" || $0 == $1 }
        }
    }

    /// `teams.NAME.weight`, for people.
    var shownName: String {
        parts.map { $0 == "*" ? "NAME" : String($0) }.joined(separator: ".")
    }

    /// What a person may have meant by a path of names.
    static func hint(for path: [String]) -> String {
        let name = path.joined(separator: ".")
        let names = all.map { key in
            guard key.isNamed, key.parts.count == path.count, !SecretLook.isSecret(name) else {
                return key.shownName
            }
            return zip(key.parts, path).map { $0 == "*" ? $1 : String($0) }
                .joined(separator: ".")
        }
        if let near = Spelling.nearest(to: name, among: names) { return didYouMean(near) }
        // The right name in the wrong table.
        let last = name.split(separator: ".").last.map(String.init) ?? name
        let ends = names.filter { $0.split(separator: ".").last.map(String.init) == last }
        if let end = ends.first { return didYouMean(end) }
        let tables = Set(names.compactMap { $0.split(separator: ".").first.map(String.init) })
        let near = Spelling.nearest(to: String(name.prefix { $0 != "." }), among: tables)
        let known = names.filter { near == nil || $0.hasPrefix("\(near ?? "").") }
        return "Known keys: \(ShownText.line(known.joined(separator: ", "), most: 1000))."
    }

    private static func didYouMean(_ name: String) -> String {
        "Did you mean `\(ShownText.line(name))`?"
    }
}

/// Names of teams in the configuration.
enum TeamNames {
    static let most = 1000

    /// Throws when a team cannot have the name, or there are too many teams.
    static func check(
        _ name: String, _ configuration: MasterConfiguration
    ) throws(ValueMistake) {
        let isName =
            (1...63).contains(name.utf8.count)
            && name.utf8.allSatisfy {
                $0.isWord || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
            } && name.utf8.first.map { $0.isLetter || $0.isDigit } == true
        guard isName else {
            throw ValueMistake(
                message: "has a name of a team that is none",
                hint: "A name has 1 to 63 letters, digits, `-`, `_`, `.`, a letter or digit first.")
        }
        guard configuration.teams[name] != nil || configuration.teams.count < most else {
            throw ValueMistake(message: "is one team more than the \(most) there can be")
        }
    }

    /// As a key of TOML, where a dot would divide it.
    static func quoted(_ name: String) -> String {
        name.contains(".") ? "\"\(name)\"" : name
    }
}

internal import Glibc
internal import PipelineIR

/// Puts the layers of a configuration on each other: defaults, the file, variables, flags.
struct ConfigurationLoader {
    private(set) var configuration = MasterConfiguration()
    private(set) var problems: [ConfigurationProblem] = []
    private let environment: [String: String]
    private let workingFolder: String

    /// Begins with the defaults of a machine.
    init(environment: [String: String]) {
        self.environment = environment
        let folder = getcwd(nil, 0)
        workingFolder = folder.map { String(cString: $0) } ?? "/"
        free(folder)
        let cores = sysconf(Int32(_SC_NPROCESSORS_ONLN))
        configuration.jobs.limit = min(max(1, cores), 4096)
        configuration.data = Self.stateFolder(environment) ?? ""
    }

    /// `${XDG_STATE_HOME:-~/.local/state}/danube/master`; `nil` without a home. The specification
    /// of base directories wants relative ones ignored.
    private static func stateFolder(_ environment: [String: String]) -> String? {
        if let state = environment["XDG_STATE_HOME"], state.hasPrefix("/") {
            return state + "/danube/master"
        }
        guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
        return home + "/.local/state/danube/master"
    }

    // MARK: the file

    /// Takes the keys of a file.
    mutating func read(file path: String) {
        let file: BoundedFile
        do {
            file = try BoundedFile.read(path, most: TOMLDocument.mostBytes, followsLink: true)
        } catch {
            problems.append(Self.unreadable(path, error))
            return
        }
        let document: TOMLDocument
        do {
            document = try TOMLDocument(file.bytes)
        } catch {
            let place = ConfigurationProblem.Place.file(
                path, line: error.line, column: error.column, text: nil)
            problems.append(
                ConfigurationProblem(place, ShownText.line(error.message), hint: error.hint))
            return
        }
        let surroundings = Surroundings(folder: folder(of: path), home: environment["HOME"])
        var unknown: [[String]] = []
        for entry in document.entries {
            // What is in a table that is unknown is told with it.
            if unknown.contains(where: { entry.path.starts(with: $0) }) { continue }
            let place = ConfigurationProblem.Place.file(
                path, line: entry.line, column: entry.column, text: document.shown(entry.line))
            if !take(entry, at: place, surroundings) { unknown.append(entry.path) }
            if problems.count > 2 * ConfigurationError.mostProblems { return }
        }
    }

    /// Takes one entry of a file; false when it is unknown.
    private mutating func take(
        _ entry: TOMLDocument.Entry, at place: ConfigurationProblem.Place,
        _ surroundings: Surroundings
    ) -> Bool {
        let name = ShownText.line(entry.path.joined(separator: "."), most: 100)
        let shown = SecretLook.isSecret(name) ? "(a name that looks like a secret)" : "`\(name)`"
        if ConfigurationKey.isTable(entry.path) {
            if entry.isTable { return true }
            problems.append(
                ConfigurationProblem(
                    place, "\(shown) is a table, not \(entry.value.shown).",
                    hint: "Write [\(name)], and its keys on the lines below."))
            return true
        }
        guard let (key, table) = ConfigurationKey.find(entry.path) else {
            problems.append(
                ConfigurationProblem(
                    place, "There is no \(entry.isTable ? "table" : "key") \(shown).",
                    hint: ConfigurationKey.hint(for: entry.path)))
            return false
        }
        set(key, entry.value, table: table, shown, at: place, surroundings)
        return true
    }

    private func folder(of path: String) -> String {
        let absolute = path.hasPrefix("/") ? path : workingFolder + "/" + path
        return "/" + absolute.split(separator: "/").dropLast().joined(separator: "/")
    }

    private static func unreadable(
        _ path: String, _ failure: BoundedFile.Failure
    ) -> ConfigurationProblem {
        let place = ConfigurationProblem.Place.file(path, line: 0, column: 0, text: nil)
        switch failure {
        case .notRegular: return ConfigurationProblem(place, "This is no regular file.")
        case .tooLarge: return ConfigurationProblem(place, "The file is larger than 1 MiB.")
        case .system(let number):
            return ConfigurationProblem(
                place, "The file cannot be read: \(BoundedFile.reason(number)).",
                hint: number == ENOENT ? "Name another one with --config." : nil,
                isEnvironment: number != ENOENT)
        }
    }

    // MARK: variables and flags

    /// Takes the variables `DANUBE_…` of the environment.
    mutating func readVariables() {
        let keys = ConfigurationKey.all.filter { !$0.isNamed }
        for (name, text) in environment.sorted(by: { $0.key < $1.key })
        where name.hasPrefix("DANUBE_") && !OtherVariables.contains(name) {
            let place = ConfigurationProblem.Place.variable(name)
            guard let key = keys.first(where: { $0.variable == name }) else {
                let near = Spelling.nearest(to: name, among: keys.map(\.variable))
                problems.append(
                    ConfigurationProblem(
                        place, "There is no such variable of the configuration.",
                        hint: near.map { "Did you mean `\($0)`?" } ?? "Unset it."))
                continue
            }
            set(key, .words(text), table: "", "`\(key.name)`", at: place, here)
        }
    }

    /// Takes flags: `--http-listen VALUE` or `--http-listen=VALUE`.
    mutating func read(flags: [String]) {
        let keys = ConfigurationKey.all.filter { !$0.isNamed }
        var position = 0
        while position < flags.count {
            let word = flags[position]
            position += 1
            let halves = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = halves.first.map(String.init) ?? ""
            let shown = SecretLook.isSecret(name) ? "(an argument)" : ShownText.line(name, most: 80)
            let place = ConfigurationProblem.Place.flag(shown)
            guard let key = keys.first(where: { $0.flag == name }) else {
                problems.append(
                    ConfigurationProblem(
                        place, name.hasPrefix("-") ? "There is no such flag." : "This is no flag.",
                        hint: Spelling.nearest(to: name, among: keys.map(\.flag))
                            .map { "Did you mean `\($0)`?" } ?? "See --help."))
                // The value of a flag that is unknown is no mistake of its own.
                if halves.count == 1, position < flags.count, !flags[position].hasPrefix("-") {
                    position += 1
                }
                continue
            }
            if halves.count == 2 {
                set(key, .words(String(halves[1])), table: "", "`\(key.name)`", at: place, here)
            } else if position < flags.count {
                set(key, .words(flags[position]), table: "", "`\(key.name)`", at: place, here)
                position += 1
            } else {
                problems.append(
                    ConfigurationProblem(
                        place, "The flag has no value.", hint: "Write \(key.flag) VALUE."))
            }
        }
    }

    private var here: Surroundings {
        Surroundings(folder: workingFolder, home: environment["HOME"])
    }

    private mutating func set(
        _ key: ConfigurationKey, _ given: GivenValue, table: String, _ shown: String,
        at place: ConfigurationProblem.Place, _ surroundings: Surroundings
    ) {
        do {
            try key.set(given, table, surroundings, &configuration)
        } catch {
            problems.append(
                ConfigurationProblem(place, "\(shown) \(error.message).", hint: error.hint))
            return
        }
        let name = key.name.split(separator: "*").joined(separator: TeamNames.quoted(table))
        switch place {
        case .file(let path, let line, _, _):
            configuration.origins[name] = "\(ShownText.line(path)):\(line)"
        case .variable(let origin), .flag(let origin): configuration.origins[name] = origin
        case .nowhere: break
        }
    }

    // MARK: the result

    /// The configuration, with what follows from other keys.
    mutating func finish() throws(ConfigurationError) -> MasterConfiguration {
        if configuration.data.isEmpty {
            problems.append(
                ConfigurationProblem(
                    .nowhere, "There is no folder for what the master keeps: HOME is not set.",
                    hint: "Set HOME, or `data` (--data, DANUBE_DATA)."))
        }
        guard problems.isEmpty else { throw ConfigurationError(problems) }
        if configuration.cache.folder.isEmpty {
            configuration.cache.folder = configuration.data + "/cache"
        }
        return configuration
    }
}

/// Variables that begin with `DANUBE_` and are of other parts of Danube: those that name programs
/// and ways to run steps, that a step finds in its environment, that carry secrets of `danube run`,
/// and that steer Danube's own tests.
enum OtherVariables {
    private static let names: Set = [
        "DANUBE_CONFIG", "DANUBE_PYBRIDGE", "DANUBE_PODMAN_FLAGS", "DANUBE_WORKSPACES",
        "DANUBE_JOB", "DANUBE_STEP", "DANUBE_ATTEMPT", "DANUBE_WORKSPACE", "DANUBE_STEP_SCRIPT",
        "DANUBE_SHARED", "DANUBE_UPDATE_GOLDENS", "DANUBE_CRASH_SWEEP", "DANUBE_FUZZ",
        "DANUBE_TIDY_ROOT",
    ]

    static func contains(_ name: String) -> Bool {
        names.contains(name) || name.hasPrefix("DANUBE_SECRET_") || name.hasPrefix("DANUBE_TEST_")
    }
}

extension MasterConfiguration {
    /// Reads a configuration: the file where one is named, then variables, then flags; later ones
    /// win. It reads a small file and so blocks for a moment.
    ///
    /// - Parameter flags: arguments of the program without its name, as `MasterArguments` leaves
    ///   them.
    package static func load(
        file: String?, environment: [String: String], flags: [String]
    ) throws(ConfigurationError) -> MasterConfiguration {
        var loader = ConfigurationLoader(environment: environment)
        if let file { loader.read(file: file) }
        loader.readVariables()
        loader.read(flags: flags)
        return try loader.finish()
    }
}

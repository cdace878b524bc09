/// Why a pipeline runs, and what is known of it: what `ctx` says.
///
/// Whatever is not given comes from the repository, or from an example where there is nothing.
package struct Trigger: Sendable {
    /// One of `Trigger.events`.
    package var event: String
    /// Branch that was pushed or is built; `nil` for the one checked out.
    package var branch: String?
    /// Tag that was pushed; `nil` when the event is about none.
    package var tag: String?
    /// What the danubefile takes for the time, in seconds since 1970.
    package var time = 0.0
    /// Values that were given, by the names of `ctx`; other names belong to `ctx.event`.
    package private(set) var given: JSONValue = .object([])

    /// Every event that a pipeline can be planned for.
    package static let events = ["push", "pull_request", "tag", "cron", "manual"]

    /// An event of which nothing is known.
    package init(event: String = "manual", branch: String? = nil, tag: String? = nil) {
        self.event = event
        self.branch = branch
        self.tag = tag
    }

    /// Takes the values of a JSON file: an object with names of `ctx`; its other members become
    /// `ctx.event`. Throws when it is not JSON, or a value does not fit its name.
    package mutating func add(file: [UInt8]) throws(TriggerError) {
        guard file.count <= Self.mostBytes else {
            throw TriggerError(message: "The event is larger than \(Self.mostBytes >> 20) MiB")
        }
        let value: JSONValue
        do { value = try JSONText.parse(file) } catch {
            throw TriggerError(
                message: "The event is not JSON: \(error.message) at byte \(error.at)")
        }
        guard let members = value.members else {
            throw TriggerError(message: "The event is not a JSON object")
        }
        for member in members { try set([member.key], member.value) }
    }

    /// Takes one value given as `name=value` or `pull_request.name=value`. A value that is JSON is
    /// taken as such where the name does not want text. Throws when the name or value does not fit.
    package mutating func add(field: String) throws(TriggerError) {
        guard let sign = field.firstIndex(of: "="), sign != field.startIndex else {
            throw TriggerError(message: "`\(field)` is not of the form NAME=VALUE")
        }
        let text = String(field[field.index(after: sign)...])
        let path = field[..<sign].split(separator: ".", omittingEmptySubsequences: false)
            .map(String.init)
        guard path.count <= 16, !path.contains("") else {
            throw TriggerError(message: "`\(field[..<sign])` is not a name of the event")
        }
        switch Self.form(of: path) {
        case .text?: try set(path, .string(text))
        case .paths?:
            let paths = text.split(separator: ",").map { JSONValue.string(String($0)) }
            try set(path, .array(paths))
        default: try set(path, (try? JSONText.parse(Array(text.utf8))) ?? .string(text))
        }
    }

    /// The value given for a name of `ctx`.
    func value(_ name: String) -> JSONValue? {
        switch name {
        case "branch": branch.map(JSONValue.string) ?? given[name]
        case "tag": tag.map(JSONValue.string) ?? given[name]
        default: given[name]
        }
    }

    // MARK: Names and their values

    private enum Form {
        case text
        case number
        case flag
        case paths
        case object
    }

    private static let forms: [String: Form] = [
        "job_id": .text, "repo": .text, "branch": .text, "commit_sha": .text, "trigger_ref": .text,
        "workspace": .text, "tag": .text, "changed_files": .paths, "pull_request": .object,
        "event": .object,
    ]

    private static let requestForms: [String: Form] = [
        "number": .number, "title": .text, "body": .text, "author": .text, "head_branch": .text,
        "base_branch": .text, "head_sha": .text, "fork": .flag,
    ]

    private static func form(of path: [String]) -> Form? {
        if path.count == 1 { return forms[path[0]] }
        if path.count == 2, path[0] == "pull_request" { return requestForms[path[1]] }
        return nil
    }

    private mutating func set(_ path: [String], _ value: JSONValue) throws(TriggerError) {
        let name = path.joined(separator: ".")
        if path[0] == "pull_request" {
            if path.count == 1, let members = value.members {
                for member in members { try set(["pull_request", member.key], member.value) }
                return
            }
            guard path.count == 2, Self.requestForms[path[1]] != nil else {
                throw TriggerError(
                    message: "A pull request has no `\(path.dropFirst().joined(separator: "."))`",
                    hint: "It has \(Self.requestForms.keys.sorted().joined(separator: ", ")).")
            }
        }
        guard let form = Self.form(of: path) else {
            // Not a value of `ctx`, so it is part of the event's payload.
            let place = path[0] == "event" ? path : ["event"] + path
            if Self.forms[path[0]] != nil, path[0] != "event" {
                throw TriggerError(message: "`\(path[0])` has no parts, so there is no `\(name)`")
            }
            given.set(place, to: value)
            return
        }
        guard Self.fits(value, form) else {
            throw TriggerError(message: "`\(name)` of the event is not \(Self.words(form))")
        }
        given.set(path, to: value)
    }

    private static func fits(_ value: JSONValue, _ form: Form) -> Bool {
        switch (form, value) {
        case (.text, .string), (.number, .integer), (.flag, .bool), (.object, .object): true
        case (.paths, .array(let values)): values.allSatisfy { $0.text != nil }
        default: false
        }
    }

    private static func words(_ form: Form) -> String {
        switch form {
        case .text: "text"
        case .number: "a number"
        case .flag: "true or false"
        case .paths: "a list of paths"
        case .object: "an object"
        }
    }

    private static let mostBytes = 4 << 20
}

/// A mistake in what is given of an event.
package struct TriggerError: Error, Equatable {
    /// One sentence that names the value.
    package var message: String
    /// What to give instead; `nil` where the message says all.
    package var hint: String?
}

internal import Synchronization

/// One use of a secret, for the audit log.
package struct SecretAudit: Sendable, Equatable {
    /// What came of it.
    package enum Outcome: Sendable, Equatable {
        case given
        case denied(SecretDenial)
        /// It could not be opened.
        case unreadable
    }

    /// The secret and the version of it that was looked at.
    package let id: SecretID
    package let version: Int64
    /// Who asked: the id of a job and step, or a token.
    package let reader: String
    package let outcome: Outcome
}

/// Secrets: set by people, given to jobs that may have them. There is no way to read one but for a
/// job, and each reading is in the audit log before the value is given.
package final class SecretStore: Sendable {
    private let rows: any SecretRows
    private let file: SecretKeyFile
    private let keys: Mutex<SecretKeys>
    private let audit: @Sendable ([SecretAudit]) async throws -> Void
    private let isRotating = Mutex(false)

    /// Who does what nobody asked for.
    package static let itself = "master"

    /// Why a rotation that was interrupted could not be ended when the store was opened.
    package let unfinished: SecretError?

    /// Opens the store, and ends a rotation that was interrupted.
    ///
    /// - Parameter audit: Returns when the entries are durable. When it throws, no value is given.
    package init(
        rows: any SecretRows, file: SecretKeyFile,
        audit: @escaping @Sendable ([SecretAudit]) async throws -> Void
    ) async throws {
        self.rows = rows
        self.file = file
        self.audit = audit
        var found = try await OwnThread.run { try file.open() }
        do {
            found = try await Self.endRotation(of: found, rows, file, by: Self.itself)
            unfinished = nil
        } catch let error as SecretError {
            // One damaged secret is no reason not to start: the old key stays until it is mended.
            unfinished = error
        }
        keys = Mutex(found)
    }

    /// Stores a value under the next version. Throws `badSize`.
    package func set(
        _ id: SecretID, _ value: SecretValue, _ restriction: SecretRestriction = .none,
        by actor: String = itself
    ) async throws {
        try await rows.put(id, by: actor) { [self] _, version in
            try SecretBox.seal(value, as: id, version: version, restriction, with: held)
        }
    }

    /// Gives a secret new restrictions and keeps its value. Throws `missing`.
    package func restrict(
        _ id: SecretID, to restriction: SecretRestriction, by actor: String = itself
    ) async throws {
        try await rows.put(id, by: actor) { [self] before, version in
            guard let before else { throw SecretError.missing(id.description) }
            let value = try SecretBox.open(before, with: held)
            return try SecretBox.seal(value, as: id, version: version, restriction, with: held)
        }
    }

    /// All secrets without their values.
    package func list() async throws -> [SecretSummary] { try await rows.list() }

    /// Whether there are any.
    package func hasAny() async throws -> Bool { try await !rows.list().isEmpty }

    /// Removes a secret; false when there was none.
    package func remove(_ id: SecretID, by actor: String = itself) async throws -> Bool {
        try await rows.delete(id, by: actor)
    }

    /// The value that a name has for a job: that of its pipeline, else of its team, else the global
    /// one. The nearest decides: when it is denied, no wider one takes its place. Throws `missing`,
    /// `denied`, `altered`, `unknownKey`, and what the audit log throws.
    ///
    /// - Parameter reader: who asks, for the audit log.
    package func read(
        _ name: String, for context: SecretContext, reader: String
    ) async throws -> SecretValue {
        for scope in Self.scopes(of: context) {
            let id = try SecretID(scope, name)
            guard let row = try await rows.get(id) else { continue }
            if case .denied(let why) = SecretPolicy.mayRead(scope, row.restriction, context) {
                try await note(row, reader, .denied(why))
                throw SecretError.denied(id, why)
            }
            let value: SecretValue
            do {
                // What is stored elsewhere under this name is no answer.
                guard row.id == id else { throw SecretError.altered(id) }
                value = try SecretBox.open(row, with: held)
            } catch {
                try await note(row, reader, .unreadable)
                throw error
            }
            try await note(row, reader, .given)
            return value
        }
        throw SecretError.missing(ShownText.line(name, most: 64))
    }

    /// All values that a job may have, by name, and the secrets among them that cannot be opened.
    /// The nearest scope decides, as in `read`; who is denied one that was not asked for by name is
    /// not in the audit log.
    ///
    /// - Parameter reader: who asks, for the audit log.
    package func readAll(
        for context: SecretContext, reader: String
    ) async throws -> (values: [String: SecretValue], unreadable: [SecretError]) {
        var nearest: [String: SecretSummary] = [:]
        let all = try await rows.list()
        for scope in Self.scopes(of: context) {
            for row in all where row.id.scope == scope && nearest[row.id.name] == nil {
                nearest[row.id.name] = row
            }
        }
        var values: [String: SecretValue] = [:]
        var unreadable: [SecretError] = []
        var audits: [SecretAudit] = []
        for (name, found) in nearest.sorted(by: { $0.key < $1.key }) {
            // What is stored now counts: it may have been changed since the list was made.
            guard let row = try await rows.get(found.id),
                case .granted = SecretPolicy.mayRead(row.id.scope, row.restriction, context)
            else { continue }
            var outcome = SecretAudit.Outcome.given
            do {
                guard row.id == found.id else { throw SecretError.altered(found.id) }
                values[name] = try SecretBox.open(row, with: held)
            } catch let error as SecretError {
                outcome = .unreadable
                unreadable.append(error)
            }
            audits.append(
                SecretAudit(id: row.id, version: row.version, reader: reader, outcome: outcome))
        }
        if !audits.isEmpty { try await audit(audits) }
        return (values, unreadable)
    }

    /// Makes a new key and seals every secret with it. A crash at any point leaves all of them
    /// readable: both keys are durable in the file before a row changes, all rows change in one
    /// transaction, and the old key goes only when that is durable. Backups of the database from
    /// before need the key file from before.
    package func rotateKey(by actor: String = itself) async throws {
        let runs = isRotating.withLock { running in
            defer { running = true }
            return running
        }
        if runs { throw SecretError.rotationRuns }
        defer { isRotating.withLock { $0 = false } }
        let both = try await Self.endRotation(of: held, rows, file, by: actor).addingKey()
        try await OwnThread.run { [file] in try file.write(both) }
        // Values are sealed within the transaction that stores them. One that took the old key
        // comes before the transaction that replaces all; one after that takes the new key.
        keys.withLock { $0 = both }
        let left = try await Self.endRotation(of: both, rows, file, by: actor)
        keys.withLock { $0 = left }
    }

    private var held: SecretKeys { keys.withLock { $0 } }

    /// Seals all with the current key, then takes the others out of the file.
    private static func endRotation(
        of keys: SecretKeys, _ rows: any SecretRows, _ file: SecretKeyFile, by actor: String
    ) async throws -> SecretKeys {
        if keys.ids.count == 1 { return keys }
        try await rows.replaceAll(by: actor) { row in
            if row.key == keys.current { return row }
            let value = try SecretBox.open(row, with: keys)
            return try SecretBox.seal(
                value, as: row.id, version: row.version, row.restriction, with: keys)
        }
        let left = keys.currentOnly()
        try await OwnThread.run { try file.write(left) }
        return left
    }

    private func note(
        _ row: SealedSecret, _ reader: String, _ outcome: SecretAudit.Outcome
    ) async throws {
        try await audit([
            SecretAudit(id: row.id, version: row.version, reader: reader, outcome: outcome)
        ])
    }

    private static func scopes(of context: SecretContext) -> [SecretScope] {
        [.pipeline(context.pipeline)] + (context.team.map { [.team($0)] } ?? []) + [.global]
    }
}

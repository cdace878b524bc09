/// Where sealed secrets are stored. Each requirement is one transaction, and durable when it
/// returns; transactions follow each other.
package protocol SecretRows: Sendable {
    /// Hands the stored secret and its next version to a closure, and stores what that makes of
    /// them. No version is given twice, also not after a removal.
    func put(
        _ id: SecretID, by actor: String,
        _ make: @escaping @Sendable (SealedSecret?, Int64) throws -> SealedSecret
    ) async throws

    /// The secret, when it is there.
    func get(_ id: SecretID) async throws -> SealedSecret?

    /// All secrets in order of scope and name.
    func list() async throws -> [SecretSummary]

    /// Removes a secret; false when there was none.
    func delete(_ id: SecretID, by actor: String) async throws -> Bool

    /// Replaces every secret by what a closure makes of it. When that throws, nothing changes.
    func replaceAll(
        by actor: String, _ change: @escaping @Sendable (SealedSecret) throws -> SealedSecret
    ) async throws
}

/// Lets those who name the same thing do something one after the other, in the order in which they
/// came.
actor Turns {
    private var last: [String: Task<Void, Never>] = [:]

    /// Does something when nobody else does with this name.
    func take<Value: Sendable>(
        _ name: String, _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let before = last[name]
        let task = Task<Result<Value, any Error>, Never> {
            await before?.value
            do {
                return .success(try await work())
            } catch {
                return .failure(error)
            }
        }
        let ended = Task<Void, Never> { _ = await task.value }
        last[name] = ended
        let result = await task.value
        if last[name] == ended { last[name] = nil }
        return try result.get()
    }
}

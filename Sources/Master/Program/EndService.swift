internal import Glibc
internal import ServiceLifecycle
internal import UnixSignals

/// Waits for what ends a master: a signal, or somebody who asks for it. The first one lets jobs go
/// on for a while and takes no new ones; the second one ends at once. Jobs that still run then go
/// on by themselves, and the next master takes them up.
struct EndService: Service {
    let ends: AsyncStream<Bool>
    let dispatcher: Dispatcher
    let hub: EventHub
    let patience: Duration

    private static let beat = Duration.seconds(15)

    func run() async throws {
        let dispatcher = dispatcher
        let patience = patience
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                // Followers hear something, and notice that a connection is gone.
                while !Task.isCancelled {
                    try? await Task.sleep(for: Self.beat)
                    hub.wake()
                }
            }
            let (isForced, events) = await first()
            if !isForced {
                await withTaskGroup(of: Void.self) { race in
                    race.addTask { await dispatcher.drain() }
                    race.addTask { try? await Task.sleep(for: patience) }
                    race.addTask { for await _ in events { return } }
                    await race.next()
                    await dispatcher.abandon()
                    race.cancelAll()
                }
            }
            group.cancelAll()
        }
    }

    /// The first thing that ends the master, and what comes after it.
    private func first() async -> (isForced: Bool, rest: AsyncStream<Void>) {
        let (rest, continuation) = AsyncStream.makeStream(of: Void.self)
        let (firsts, first) = AsyncStream.makeStream(of: Bool.self)
        let ends = ends
        Task {
            for await isForced in ends {
                first.yield(isForced)
                if isForced { continuation.yield() }
            }
        }
        Task {
            var isFirst = true
            for await _ in await UnixSignalsSequence(trapping: .sigterm, .sigint) {
                if isFirst { first.yield(false) } else { continuation.yield() }
                isFirst = false
            }
        }
        for await isForced in firsts { return (isForced, rest) }
        return (true, rest)
    }
}

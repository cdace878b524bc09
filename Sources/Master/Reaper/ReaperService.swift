internal import Logging
internal import ServiceLifecycle
internal import Synchronization
internal import UnixSignals

internal import struct Executor.Timestamp

/// Runs the reaper once a day, when the disk is nearly full, and on SIGUSR1.
struct ReaperService: Service {
    let reaper: Reaper
    let disk: DiskReserve
    let configuration: LiveConfiguration
    let started: Timestamp

    private static let beat = Duration.seconds(10)
    /// What is looked at first after the start of a master, which has better things to do.
    private static let firstPause = Duration.seconds(60)
    /// How soon it runs again for a disk that it could not empty.
    private static let fullPause = Duration.seconds(600)

    func run() async throws {
        if let last = try? await reaper.database.mark(Reaper.mark) { reaper.metrics.remember(last) }
        await cancelWhenGracefulShutdown {
            let (wakes, wake) = AsyncStream.makeStream(
                of: Bool.self, bufferingPolicy: .bufferingNewest(1))
            await withTaskGroup(of: Void.self) { group in
                group.addTask {
                    for await _ in await UnixSignalsSequence(trapping: .sigusr1) {
                        wake.yield(true)
                    }
                }
                group.addTask {
                    try? await Task.sleep(for: Self.firstPause)
                    while !Task.isCancelled {
                        wake.yield(false)
                        try? await Task.sleep(for: Self.beat)
                    }
                    wake.finish()
                }
                await serve(wakes)
                group.cancelAll()
            }
        }
    }

    private func serve(_ wakes: AsyncStream<Bool>) async {
        var nextForFull = ContinuousClock.now
        for await isAsked in wakes {
            let values = configuration.values
            let space = try? await disk.space()
            let isFull = space.map { $0.free < disk.reserve + disk.reserve / 4 } ?? false
            let forFull = isFull && disk.reserve > 0 && ContinuousClock.now >= nextForFull
            if !isAsked, !forFull, await !isDue(values) { continue }
            if forFull {
                reaper.logger.notice("the disk is nearly full: what can be made again is removed")
                nextForFull = .now + Self.fullPause
            }
            let rules = ReapRules(values)
            do {
                try await reaper.run(isFull ? rules.whenFull : rules)
            } catch {
                reaper.logger.error("old things cannot be removed: \(error)")
            }
        }
    }

    private func isDue(_ values: MasterConfiguration) async -> Bool {
        let last = (try? await reaper.database.mark(Reaper.mark)) ?? nil
        return DailyTime.isDue(values.retention.at, last: last ?? started, now: .now())
    }
}

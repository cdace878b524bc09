internal import Logging
internal import NIOPosix
internal import ServiceLifecycle
internal import UnixSignals

/// Reads the configuration again on SIGHUP. One with a mistake changes nothing.
struct ReloadService: Service {
    let live: LiveConfiguration
    /// Reads all of it: the file, variables, flags.
    let read: @Sendable () throws -> MasterConfiguration
    /// Tells those who keep a value of their own.
    let apply: @Sendable (MasterConfiguration) async -> Void
    let threads: NIOThreadPool
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await _ in await UnixSignalsSequence(trapping: .sighup) { await reload() }
        }
    }

    private func reload() async {
        let newer: MasterConfiguration
        do {
            newer = try await threads.runIfActive(read)
        } catch let error as ConfigurationError {
            live.keep()
            for problem in error.problems {
                logger.error("the configuration stays as it was: \(problem.line)")
            }
            return
        } catch {
            logger.error("the configuration cannot be read again: \(error)")
            return
        }
        let reload = Reload(of: live.values, from: newer)
        live.replace(reload.configuration)
        await apply(reload.configuration)
        for name in reload.needsRestart {
            logger.warning("`\(name)` is read at start only: its new value waits for the next one")
        }
        let changed = reload.changed.isEmpty ? "nothing" : reload.changed.joined(separator: ", ")
        logger.notice("the configuration was read again", metadata: ["changed": "\(changed)"])
    }
}

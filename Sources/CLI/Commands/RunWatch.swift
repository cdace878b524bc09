import CSandbox
import Executor
import Glibc

/// `danube run --watch`: runs a pipeline each time when files have changed, until it is
/// interrupted.
struct RunWatch {
    /// Milliseconds without a change after which a run begins.
    private static let calm: Int32 = 100
    /// The most milliseconds for which a run waits for calm.
    private static let patience = 2000
    private static let signalToken: UInt64 = 0
    private static let filesToken: UInt64 = 1
    private static let childToken: UInt64 = 2

    private let words: [String]
    private let root: String
    private let ignoresOwnChanges: Bool
    private let quietly: Bool
    private let loop: Int32
    private let signals: Int32

    /// Prepares to watch a folder and to run `danube` with these words.
    init(words: [String], root: String, inPlace: Bool, quietly: Bool) throws(Failure) {
        self.words = words
        self.root = root
        ignoresOwnChanges = inPlace
        self.quietly = quietly
        loop = danube_loop_open()
        signals = danube_watch_signals()
        guard loop >= 0, signals >= 0, danube_loop_add(loop, signals, Self.signalToken) == 0 else {
            throw .environment("cannot wait for signals: \(FileBytes.reason(errno))")
        }
    }

    /// Runs until it is interrupted; gives the exit status of the last run.
    func run() throws(Failure) -> Int32 {
        var files = try SourceWatch(root)
        while true {
            let (status, isInterrupted) = try once()
            if isInterrupted { return status }
            // What a run in the working copy has written is no reason for another one.
            if ignoresOwnChanges { _ = try files.changes() }
            if !quietly { Output.err("danube: watching \(DisplayText.escaped(root)), Ctrl-C ends") }
            if try waitForChange(&files) { return status }
        }
    }

    /// Runs once. Whether it was interrupted is said too.
    private func once() throws(Failure) -> (status: Int32, isInterrupted: Bool) {
        var pid: pid_t = 0
        var handle: Int32 = -1
        let started = RunProcess.start(words, &pid, &handle)
        guard started == 0, danube_loop_add(loop, handle, Self.childToken) == 0 else {
            throw .environment("cannot start a run: \(FileBytes.reason(-started))")
        }
        defer {
            _ = danube_loop_remove(loop, handle)
            close(handle)
        }
        var isInterrupted = false
        while true {
            var ended: Int32?
            for token in tokens(milliseconds: -1) {
                if token == Self.signalToken {
                    isInterrupted = passSignals(to: pid) || isInterrupted
                } else if token == Self.childToken {
                    var status: Int32 = 0
                    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
                    let signal = danube_status_signal(status)
                    ended = signal != 0 ? 128 + signal : danube_status_code(status)
                }
            }
            if let ended { return (ended, isInterrupted) }
        }
    }

    /// Hands signals on to the run. True when one of them ends it.
    private func passSignals(to pid: pid_t) -> Bool {
        var ends = false
        while true {
            let number = danube_next_signal(signals)
            if number == 0 { return ends }
            kill(pid, number)
            if number != SIGWINCH { ends = true }
        }
    }

    /// Waits until something has changed and then nothing for a moment. True when it is
    /// interrupted.
    private func waitForChange(_ files: inout SourceWatch) throws(Failure) -> Bool {
        // Changes during a run are looked at when it is over, so only now anybody waits for them.
        guard danube_loop_add(loop, files.descriptor, Self.filesToken) == 0 else {
            throw .environment("cannot watch \(root): \(FileBytes.reason(errno))")
        }
        defer { _ = danube_loop_remove(loop, files.descriptor) }
        var waited = 0
        var hasChanged = false
        while true {
            let found = tokens(milliseconds: hasChanged ? Self.calm : -1)
            if found.isEmpty, hasChanged { return false }
            for token in found {
                if token == Self.signalToken {
                    while true {
                        let number = danube_next_signal(signals)
                        if number == 0 { break }
                        if number != SIGWINCH { return true }
                    }
                } else if try files.changes() {
                    hasChanged = true
                }
            }
            waited += hasChanged ? Int(Self.calm) : 0
            if waited > Self.patience { return false }
        }
    }

    private func tokens(milliseconds: Int32) -> [UInt64] {
        var found = [UInt64](repeating: 0, count: 8)
        let count = danube_loop_wait(loop, &found, 8, milliseconds)
        return Array(found.prefix(Int(max(0, count))))
    }
}

import ArgumentParser
import CSandbox
import Compiler
import Executor
import Glibc

/// `danube engine --host`: what takes time in the start of an engine is done once, and each engine,
/// and each answer to a request for a plan, is a fork of this process. It never learns a secret,
/// and ends with the master that asks it.
struct EngineHost {
    private static let socket: Int32 = STDIN_FILENO
    /// The place for the title of an engine: its argument.
    private let title: UnsafeMutablePointer<CChar>?
    private let titleSize: Int

    private let cache: String

    /// - Parameter cache: the folder of the cache that its engines use.
    init(cache: String) {
        self.cache = cache
        // The arguments stand one after the other; the last two are written over.
        let words = CommandLine.unsafeArgv
        guard CommandLine.argc == 4, let start = words[2], let last = words[3] else {
            (title, titleSize) = (nil, 0)
            return
        }
        title = start
        titleSize = last - start + strlen(last) + 1
    }

    /// The word that asks for a plan.
    private static let plan = "plan"

    /// Serves until nobody can ask any more. Returns in each engine, with its folder and journal.
    func serve() throws(Failure) -> (folder: String, journal: JournalFile)? {
        retitle("--host")
        danube_host_begin(warm())
        var order = [CChar](repeating: 0, count: Int(PATH_MAX) + 32)
        while true {
            var (input, error): (Int32, Int32) = (-1, -1)
            let length = danube_host_receive(Self.socket, &order, order.count, &input, &error)
            if length == 0 { return nil }
            guard length > 0 else {
                throw .environment("cannot take an order: \(FileBytes.reason(Int32(-length)))")
            }
            let words = order[..<length].map { UInt8(bitPattern: $0) }
                .split(separator: 0x20, maxSplits: 1).map { String(decoding: $0, as: UTF8.self) }
            defer {
                close(input)
                close(error)
            }
            if words == [Self.plan] {
                let process = danube_host_fork(Self.socket, input, error)
                if process == 0 {
                    retitle(Self.plan)
                    PlanRequest.serve()
                }
                guard danube_host_answer(Self.socket, process) == 0 else { return nil }
                continue
            }
            // The lock is taken before the answer: an engine that was promised can be heard.
            guard words.count == 2, let size = Int(words[0]),
                let journal = try? JournalFile(folder: words[1], size: size)
            else {
                guard danube_host_answer(Self.socket, -EBUSY) == 0 else { return nil }
                continue
            }
            let process = danube_host_fork(Self.socket, input, error)
            if process == 0 {
                (input, error) = (-1, -1)
                retitle(words[1])
                return (words[1], journal)
            }
            journal.abandon()
            guard danube_host_answer(Self.socket, process) == 0 else { return nil }
        }
    }

    private func retitle(_ text: String) {
        guard let title else { return }
        danube_retitle(title, titleSize, text)
    }

    /// Does what every engine would load and try anew; gives the namespaces that engines can have.
    private func warm() -> Int32 {
        let namespaces = danube_engine_probe(Int32(DANUBE_OWN_MOUNTS | DANUBE_OWN_PROCESSES))
        Compiler.warm()
        _ = try? Danube.parseAsRoot(["plan", "--format=json", "--param=a=b", "--", "p"])
        _ = try? EngineOrder(Array(#"{"job":"0","parameters":{"a":"b"}}"#.utf8), from: "")
        if namespaces & Int32(DANUBE_OWN_MOUNTS) != 0, canMount() {
            Workspaces.knowsMounts(beneath: cache)
        }
        return namespaces
    }

    /// Whether overlays can be mounted in the cache, tried by a child: mounts are a process's own.
    private func canMount() -> Bool {
        let child = danube_fork()
        if child == 0 {
            _exit(danube_own_mounts() == 0 && Workspaces.canMount(beneath: cache) ? 0 : 1)
        }
        var status: Int32 = 1
        while child > 0, waitpid(child, &status, 0) < 0, errno == EINTR {}
        return child > 0 && status == 0
    }
}

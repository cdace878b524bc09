internal import Glibc

internal import enum Executor.AtomicFile

/// What the master puts into the folder of a job before an engine is started there.
enum JobFiles {
    /// Makes the folder with an order and an empty journal. It waits for the disk.
    static func prepare(_ order: EngineOrder, in folder: String) throws {
        guard mkdir(folder, 0o700) == 0 || errno == EEXIST else {
            throw EngineError.system("make", path: folder, errno: errno)
        }
        try AtomicFile.write(order.encoded(), to: "\(folder)/\(EngineOrder.name)")
        try JobClock.begin(in: folder)
        let journal = "\(folder)/\(JournalReader.name)"
        let file = open(journal, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw EngineError.system("make", path: journal, errno: errno) }
        close(file)
    }

    /// Whether a job's folder was prepared.
    static func hasJournal(in folder: String) -> Bool {
        access("\(folder)/\(JournalReader.name)", F_OK) == 0
    }

    /// Claims a job of which no engine has said anything that is not recorded, and gives the end
    /// of its journal; `nil` when one has, or is about to, or nobody can tell.
    ///
    /// - Parameter recorded: bytes of the journal that are recorded.
    static func claim(in folder: String, recorded: UInt64) -> UInt64? {
        guard let end = try? JournalReader(folder: folder, offset: 0).claim(), end <= recorded + 1
        else { return nil }
        return end
    }

    /// The plan that an engine compiled; `nil` when there is none of a bearable size.
    static func plan(in folder: String) -> [UInt8]? {
        AtomicFile.read("\(folder)/plan", most: Int64(MasterDatabase.mostPlanBytes))
    }
}

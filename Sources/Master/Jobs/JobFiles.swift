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

    /// Whether an engine has said something that is not recorded, or is about to.
    ///
    /// - Parameter recorded: bytes of the journal that are recorded.
    static func hasBegun(in folder: String, recorded: UInt64) -> Bool {
        let reader = JournalReader(folder: folder, offset: 0)
        guard let size = try? reader.size() else { return false }
        return size > recorded || reader.isHeld()
    }

    /// The plan that an engine compiled; `nil` when there is none of a bearable size.
    static func plan(in folder: String) -> [UInt8]? {
        AtomicFile.read("\(folder)/plan", most: Int64(MasterDatabase.mostPlanBytes))
    }
}

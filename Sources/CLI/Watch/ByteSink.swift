/// Where a watch sends what it shows.
protocol ByteSink: AnyObject {
    /// Sends bytes; waits only when more is held back than may be.
    func send(_ bytes: [UInt8])
    /// Writes of what is held back as much as goes without waiting; tells whether all is written.
    func push() -> Bool
    /// Writes all that is held back, however long it takes.
    func finish()
}

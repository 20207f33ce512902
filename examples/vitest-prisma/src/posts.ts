import { prisma } from './database.ts'

export async function publish(email: string, title: string): Promise<{ id: number; title: string }> {
  return prisma.$transaction(async (transaction) => {
    const author = await transaction.user.upsert({ where: { email }, update: {}, create: { email } })
    return transaction.post.create({ data: { title, authorId: author.id }, select: { id: true, title: true } })
  })
}

export async function countPosts(email: string): Promise<number> {
  return prisma.post.count({ where: { author: { email } } })
}
